ALTER TABLE "verifications" DROP CONSTRAINT "verifications_school_id_membership_id_pk";--> statement-breakpoint
ALTER TABLE "verifications" ADD CONSTRAINT "verifications_school_id_membership_id_verified_at_pk" PRIMARY KEY("school_id","membership_id","verified_at");--> statement-breakpoint
ALTER TABLE "verifications" ADD COLUMN "revoked_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "verifications" ADD COLUMN "revoked_by" uuid;--> statement-breakpoint
ALTER TABLE "verifications" ADD COLUMN "revoke_reason" text;--> statement-breakpoint
ALTER TABLE "verifications" ADD CONSTRAINT "verifications_revoked_by" FOREIGN KEY ("school_id","revoked_by") REFERENCES "public"."memberships"("school_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "memberships_of_role" ON "memberships" USING btree ("school_id","role") WHERE "memberships"."ended_at" is null;--> statement-breakpoint
CREATE UNIQUE INDEX "verifications_active" ON "verifications" USING btree ("school_id","membership_id") WHERE "verifications"."revoked_at" is null;--> statement-breakpoint
ALTER TABLE "verifications" ADD CONSTRAINT "verifications_revoked_by_others" CHECK ("verifications"."revoked_by" <> "verifications"."membership_id");--> statement-breakpoint
ALTER TABLE "verifications" ADD CONSTRAINT "verifications_revocation" CHECK (("verifications"."revoked_at" is null) = ("verifications"."revoked_by" is null)
        and ("verifications"."revoked_at" is null) = ("verifications"."revoke_reason" is null));