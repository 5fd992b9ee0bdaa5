ALTER TABLE "guardian_links" ADD COLUMN "may_be_informed" boolean DEFAULT true NOT NULL;--> statement-breakpoint
ALTER TABLE "guardian_links" ADD COLUMN "may_be_contacted" boolean DEFAULT true NOT NULL;--> statement-breakpoint
ALTER TABLE "guardian_links" ADD COLUMN "limit_reason" text;--> statement-breakpoint
ALTER TABLE "guardian_links" ADD COLUMN "limited_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "guardian_links" ADD COLUMN "limited_by" uuid;--> statement-breakpoint
ALTER TABLE "guardian_links" ADD CONSTRAINT "guardian_links_limited_by" FOREIGN KEY ("school_id","limited_by") REFERENCES "public"."memberships"("school_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "guardian_links" ADD CONSTRAINT "guardian_links_contact" CHECK ("guardian_links"."may_be_informed" or not "guardian_links"."may_be_contacted");--> statement-breakpoint
ALTER TABLE "guardian_links" ADD CONSTRAINT "guardian_links_limit" CHECK (("guardian_links"."may_be_informed" and "guardian_links"."may_be_contacted") = ("guardian_links"."limited_at" is null)
        and ("guardian_links"."limited_at" is null) = ("guardian_links"."limit_reason" is null));