CREATE TABLE "roster_attachments" (
	"school_id" uuid NOT NULL,
	"entry_id" uuid NOT NULL,
	"group_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"subject" text NOT NULL,
	CONSTRAINT "roster_attachments_school_id_entry_id_group_id_kind_subject_pk" PRIMARY KEY("school_id","entry_id","group_id","kind","subject"),
	CONSTRAINT "roster_attachments_kind" CHECK ("roster_attachments"."kind" in ('class', 'subject')),
	CONSTRAINT "roster_attachments_subject" CHECK (("roster_attachments"."kind" = 'class') = ("roster_attachments"."subject" = ''))
);
--> statement-breakpoint
CREATE TABLE "roster_children" (
	"school_id" uuid NOT NULL,
	"guardian_id" uuid NOT NULL,
	"child_id" uuid NOT NULL,
	CONSTRAINT "roster_children_school_id_guardian_id_child_id_pk" PRIMARY KEY("school_id","guardian_id","child_id"),
	CONSTRAINT "roster_children_two_people" CHECK ("roster_children"."guardian_id" <> "roster_children"."child_id")
);
--> statement-breakpoint
CREATE TABLE "roster_entries" (
	"school_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"role" text NOT NULL,
	"full_name" text NOT NULL,
	"match_key" text NOT NULL,
	"group_id" uuid,
	"phone" text,
	"external_id" text,
	"membership_id" uuid,
	"claimed_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"ended_at" timestamp with time zone,
	CONSTRAINT "roster_entries_school_id_id_pk" PRIMARY KEY("school_id","id"),
	CONSTRAINT "roster_entries_role" CHECK ("roster_entries"."role" in ('head', 'teacher', 'pupil', 'guardian')),
	CONSTRAINT "roster_entries_pupil_in_group" CHECK (("roster_entries"."role" = 'pupil') = ("roster_entries"."group_id" is not null)),
	CONSTRAINT "roster_entries_phone_e164" CHECK ("roster_entries"."phone" ~ '^\+[1-9][0-9]{6,14}$'),
	CONSTRAINT "roster_entries_claim" CHECK (("roster_entries"."membership_id" is null) = ("roster_entries"."claimed_at" is null))
);
--> statement-breakpoint
ALTER TABLE "roster_attachments" ADD CONSTRAINT "roster_attachments_school_id_schools_id_fk" FOREIGN KEY ("school_id") REFERENCES "public"."schools"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "roster_attachments" ADD CONSTRAINT "roster_attachments_entry" FOREIGN KEY ("school_id","entry_id") REFERENCES "public"."roster_entries"("school_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "roster_attachments" ADD CONSTRAINT "roster_attachments_group" FOREIGN KEY ("school_id","group_id") REFERENCES "public"."groups"("school_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "roster_children" ADD CONSTRAINT "roster_children_school_id_schools_id_fk" FOREIGN KEY ("school_id") REFERENCES "public"."schools"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "roster_children" ADD CONSTRAINT "roster_children_guardian" FOREIGN KEY ("school_id","guardian_id") REFERENCES "public"."roster_entries"("school_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "roster_children" ADD CONSTRAINT "roster_children_child" FOREIGN KEY ("school_id","child_id") REFERENCES "public"."roster_entries"("school_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "roster_entries" ADD CONSTRAINT "roster_entries_school_id_schools_id_fk" FOREIGN KEY ("school_id") REFERENCES "public"."schools"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "roster_entries" ADD CONSTRAINT "roster_entries_group" FOREIGN KEY ("school_id","group_id") REFERENCES "public"."groups"("school_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "roster_entries" ADD CONSTRAINT "roster_entries_membership" FOREIGN KEY ("school_id","membership_id") REFERENCES "public"."memberships"("school_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "roster_children_of_child" ON "roster_children" USING btree ("school_id","child_id");--> statement-breakpoint
CREATE UNIQUE INDEX "roster_entries_member" ON "roster_entries" USING btree ("school_id","membership_id") WHERE "roster_entries"."ended_at" is null;--> statement-breakpoint
CREATE UNIQUE INDEX "roster_entries_external_id" ON "roster_entries" USING btree ("school_id","external_id") WHERE "roster_entries"."ended_at" is null;--> statement-breakpoint
CREATE UNIQUE INDEX "roster_entries_phone_of_role" ON "roster_entries" USING btree ("school_id","role","phone") WHERE "roster_entries"."ended_at" is null;--> statement-breakpoint
CREATE INDEX "roster_entries_phone" ON "roster_entries" USING btree ("phone") WHERE "roster_entries"."ended_at" is null and "roster_entries"."membership_id" is null;--> statement-breakpoint
CREATE INDEX "roster_entries_name" ON "roster_entries" USING btree ("school_id","match_key","role") WHERE "roster_entries"."ended_at" is null;--> statement-breakpoint
CREATE INDEX "roster_entries_list" ON "roster_entries" USING btree ("school_id","full_name","id") WHERE "roster_entries"."ended_at" is null;--> statement-breakpoint
CREATE INDEX "roster_entries_of_group" ON "roster_entries" USING btree ("school_id","group_id","full_name","id") WHERE "roster_entries"."ended_at" is null;