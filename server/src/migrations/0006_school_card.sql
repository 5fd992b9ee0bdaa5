ALTER TABLE "groups" ADD COLUMN "year" smallint;--> statement-breakpoint
ALTER TABLE "schools" ADD COLUMN "address" text;--> statement-breakpoint
ALTER TABLE "schools" ADD COLUMN "contact_email" text;--> statement-breakpoint
ALTER TABLE "schools" ADD COLUMN "contact_phone" text;--> statement-breakpoint
ALTER TABLE "schools" ADD COLUMN "journal_url" text;--> statement-breakpoint
ALTER TABLE "schools" ADD COLUMN "settings" jsonb DEFAULT '{}'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "groups" ADD CONSTRAINT "groups_year" CHECK ("groups"."year" between 0 and 20);