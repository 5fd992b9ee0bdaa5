CREATE TABLE "personal_invites" (
	"school_id" uuid NOT NULL,
	"invite_id" uuid NOT NULL,
	"entry_id" uuid NOT NULL,
	CONSTRAINT "personal_invites_school_id_invite_id_pk" PRIMARY KEY("school_id","invite_id")
);
--> statement-breakpoint
CREATE TABLE "join_requests" (
	"school_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"account_id" uuid NOT NULL,
	"role" text NOT NULL,
	"full_name" text NOT NULL,
	"group_words" text,
	"child_words" text,
	"message" text,
	"group_id" uuid,
	"invite_id" uuid,
	"on_roster" boolean,
	"state" text DEFAULT 'open' NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"reason" text,
	"decided_at" timestamp with time zone,
	"decided_by" uuid,
	"membership_id" uuid,
	CONSTRAINT "join_requests_school_id_id_pk" PRIMARY KEY("school_id","id"),
	CONSTRAINT "join_requests_role" CHECK ("join_requests"."role" in ('head', 'teacher', 'pupil', 'guardian')),
	CONSTRAINT "join_requests_state" CHECK ("join_requests"."state" in ('open', 'approved', 'declined', 'withdrawn', 'expired')),
	CONSTRAINT "join_requests_decision" CHECK (("join_requests"."state" in ('approved', 'declined')) = ("join_requests"."decided_by" is not null)
        and ("join_requests"."decided_by" is null) = ("join_requests"."decided_at" is null)),
	CONSTRAINT "join_requests_reason" CHECK (("join_requests"."state" = 'declined') = ("join_requests"."reason" is not null)),
	CONSTRAINT "join_requests_let_in" CHECK (("join_requests"."state" = 'approved') = ("join_requests"."membership_id" is not null))
);
--> statement-breakpoint
ALTER TABLE "invite_redemptions" ADD COLUMN "on_roster" boolean;--> statement-breakpoint
ALTER TABLE "invites" ADD COLUMN "subject" text;--> statement-breakpoint
ALTER TABLE "invites" ADD COLUMN "needs_approval" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "invites" ADD COLUMN "match" text DEFAULT 'none' NOT NULL;--> statement-breakpoint
ALTER TABLE "invites" ADD COLUMN "suspended_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "invites" ADD COLUMN "resumed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "schools" ADD COLUMN "join_code" text;--> statement-breakpoint
ALTER TABLE "personal_invites" ADD CONSTRAINT "personal_invites_school_id_schools_id_fk" FOREIGN KEY ("school_id") REFERENCES "public"."schools"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "personal_invites" ADD CONSTRAINT "personal_invites_invite" FOREIGN KEY ("school_id","invite_id") REFERENCES "public"."invites"("school_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "personal_invites" ADD CONSTRAINT "personal_invites_entry" FOREIGN KEY ("school_id","entry_id") REFERENCES "public"."roster_entries"("school_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "join_requests" ADD CONSTRAINT "join_requests_school_id_schools_id_fk" FOREIGN KEY ("school_id") REFERENCES "public"."schools"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "join_requests" ADD CONSTRAINT "join_requests_account_id_accounts_id_fk" FOREIGN KEY ("account_id") REFERENCES "public"."accounts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "join_requests" ADD CONSTRAINT "join_requests_group" FOREIGN KEY ("school_id","group_id") REFERENCES "public"."groups"("school_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "join_requests" ADD CONSTRAINT "join_requests_invite" FOREIGN KEY ("school_id","invite_id") REFERENCES "public"."invites"("school_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "join_requests" ADD CONSTRAINT "join_requests_decided_by" FOREIGN KEY ("school_id","decided_by") REFERENCES "public"."memberships"("school_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "join_requests" ADD CONSTRAINT "join_requests_member" FOREIGN KEY ("school_id","membership_id") REFERENCES "public"."memberships"("school_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "personal_invites_of_entry" ON "personal_invites" USING btree ("school_id","entry_id");--> statement-breakpoint
CREATE UNIQUE INDEX "join_requests_open_of_person" ON "join_requests" USING btree ("school_id","account_id","role") WHERE "join_requests"."state" = 'open';--> statement-breakpoint
CREATE INDEX "join_requests_of_account" ON "join_requests" USING btree ("account_id","created_at");--> statement-breakpoint
CREATE INDEX "join_requests_queue" ON "join_requests" USING btree ("school_id","id") WHERE "join_requests"."state" = 'open';--> statement-breakpoint
CREATE INDEX "join_requests_decided" ON "join_requests" USING btree ("school_id","id") WHERE "join_requests"."state" <> 'open';--> statement-breakpoint
CREATE INDEX "join_requests_of_invite" ON "join_requests" USING btree ("school_id","invite_id","account_id");--> statement-breakpoint
CREATE UNIQUE INDEX "schools_join_code" ON "schools" USING btree ("join_code");--> statement-breakpoint
ALTER TABLE "invites" ADD CONSTRAINT "invites_subject_of_teacher" CHECK ("invites"."subject" is null or "invites"."role" = 'teacher');--> statement-breakpoint
ALTER TABLE "invites" ADD CONSTRAINT "invites_match" CHECK ("invites"."match" in ('none', 'roster'));