ALTER TABLE "code_challenges" ADD COLUMN "session_id" uuid;--> statement-breakpoint
ALTER TABLE "sessions" ADD COLUMN "confirmed_at" timestamp with time zone;--> statement-breakpoint
CREATE INDEX "code_challenges_phone" ON "code_challenges" USING btree ("phone") WHERE "code_challenges"."used_at" is null;--> statement-breakpoint
ALTER TABLE "sessions" DROP COLUMN "passkey_at";--> statement-breakpoint
ALTER TABLE "code_challenges" ADD CONSTRAINT "code_challenges_purpose" CHECK ("code_challenges"."session_id" is null or not "code_challenges"."may_register");