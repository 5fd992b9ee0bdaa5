CREATE TABLE "accounts" (
	"id" uuid PRIMARY KEY NOT NULL,
	"phone" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "accounts_phone_unique" UNIQUE("phone"),
	CONSTRAINT "accounts_phone_e164" CHECK ("accounts"."phone" ~ '^\+[1-9][0-9]{6,14}$')
);
--> statement-breakpoint
CREATE TABLE "code_challenges" (
	"id" uuid PRIMARY KEY NOT NULL,
	"phone" text NOT NULL,
	"code_hash" text NOT NULL,
	"may_register" boolean NOT NULL,
	"tries" integer DEFAULT 0 NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"used_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "sessions" (
	"id" uuid PRIMARY KEY NOT NULL,
	"account_id" uuid NOT NULL,
	"token_hash" text NOT NULL,
	"next_token_hash" text,
	"previous_token_hash" text,
	"previous_until" timestamp with time zone,
	"carrier" text NOT NULL,
	"device_name" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"rotated_at" timestamp with time zone DEFAULT now() NOT NULL,
	"last_used_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "sessions_carrier" CHECK ("sessions"."carrier" in ('cookie', 'bearer'))
);
--> statement-breakpoint
CREATE TABLE "call_removals" (
	"school_id" uuid NOT NULL,
	"call_id" uuid NOT NULL,
	"membership_id" uuid NOT NULL,
	"removed_by" uuid NOT NULL,
	"removed_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "call_removals_school_id_call_id_membership_id_pk" PRIMARY KEY("school_id","call_id","membership_id")
);
--> statement-breakpoint
CREATE TABLE "calls" (
	"school_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"conversation_id" uuid NOT NULL,
	"started_by" uuid NOT NULL,
	"started_at" timestamp (3) with time zone NOT NULL,
	"active_at" timestamp (3) with time zone NOT NULL,
	"ended_at" timestamp (3) with time zone,
	"ended_by" uuid,
	CONSTRAINT "calls_school_id_id_pk" PRIMARY KEY("school_id","id")
);
--> statement-breakpoint
CREATE TABLE "conversation_members" (
	"school_id" uuid NOT NULL,
	"conversation_id" uuid NOT NULL,
	"membership_id" uuid NOT NULL,
	"reader" boolean NOT NULL,
	"joined_seq" integer NOT NULL,
	"read_seq" integer NOT NULL,
	"joined_at" timestamp (3) with time zone NOT NULL,
	"left_at" timestamp (3) with time zone,
	CONSTRAINT "conversation_members_school_id_conversation_id_membership_id_pk" PRIMARY KEY("school_id","conversation_id","membership_id")
);
--> statement-breakpoint
CREATE TABLE "conversations" (
	"school_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"kind" text NOT NULL,
	"channel" text,
	"title" text,
	"group_id" uuid,
	"subject" text,
	"first_id" uuid,
	"second_id" uuid,
	"last_seq" integer DEFAULT 0 NOT NULL,
	"rev" integer DEFAULT 0 NOT NULL,
	"member_count" integer DEFAULT 0 NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"archived_at" timestamp (3) with time zone,
	CONSTRAINT "conversations_school_id_id_pk" PRIMARY KEY("school_id","id")
);
--> statement-breakpoint
CREATE TABLE "messages" (
	"school_id" uuid NOT NULL,
	"conversation_id" uuid NOT NULL,
	"seq" integer NOT NULL,
	"id" uuid NOT NULL,
	"rev" integer NOT NULL,
	"sender_id" uuid NOT NULL,
	"client_message_id" uuid,
	"input_hash" "bytea",
	"body" jsonb NOT NULL,
	"sent_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "messages_school_id_conversation_id_seq_pk" PRIMARY KEY("school_id","conversation_id","seq")
);
--> statement-breakpoint
CREATE TABLE "platform_facts" (
	"key" text PRIMARY KEY NOT NULL,
	"value" text NOT NULL,
	"changed_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "groups" (
	"school_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"name" text NOT NULL,
	"kind" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"archived_at" timestamp with time zone,
	CONSTRAINT "groups_school_id_id_pk" PRIMARY KEY("school_id","id"),
	CONSTRAINT "groups_kind" CHECK ("groups"."kind" in ('class', 'staff'))
);
--> statement-breakpoint
CREATE TABLE "guardian_links" (
	"school_id" uuid NOT NULL,
	"guardian_id" uuid NOT NULL,
	"child_id" uuid NOT NULL,
	"linked_by" uuid,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "guardian_links_school_id_guardian_id_child_id_pk" PRIMARY KEY("school_id","guardian_id","child_id")
);
--> statement-breakpoint
CREATE TABLE "invite_redemptions" (
	"school_id" uuid NOT NULL,
	"invite_id" uuid NOT NULL,
	"account_id" uuid NOT NULL,
	"membership_id" uuid NOT NULL,
	"redeemed_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "invite_redemptions_school_id_invite_id_account_id_pk" PRIMARY KEY("school_id","invite_id","account_id")
);
--> statement-breakpoint
CREATE TABLE "invites" (
	"school_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"token_hash" text NOT NULL,
	"role" text NOT NULL,
	"group_id" uuid NOT NULL,
	"child_id" uuid,
	"uses" integer NOT NULL,
	"used" integer DEFAULT 0 NOT NULL,
	"created_by" uuid NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"annulled_at" timestamp with time zone,
	"annulled_by" uuid,
	CONSTRAINT "invites_school_id_id_pk" PRIMARY KEY("school_id","id"),
	CONSTRAINT "invites_role" CHECK ("invites"."role" in ('head', 'teacher', 'pupil', 'guardian')),
	CONSTRAINT "invites_uses" CHECK ("invites"."used" between 0 and "invites"."uses"),
	CONSTRAINT "invites_child_of_guardian" CHECK ("invites"."child_id" is null or "invites"."role" = 'guardian')
);
--> statement-breakpoint
CREATE TABLE "memberships" (
	"school_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"account_id" uuid NOT NULL,
	"role" text NOT NULL,
	"full_name" text NOT NULL,
	"group_id" uuid,
	"started_at" timestamp with time zone DEFAULT now() NOT NULL,
	"ended_at" timestamp with time zone,
	"end_reason" text,
	"ended_by" uuid,
	CONSTRAINT "memberships_school_id_id_pk" PRIMARY KEY("school_id","id"),
	CONSTRAINT "memberships_role" CHECK ("memberships"."role" in ('admin', 'head', 'teacher', 'pupil', 'guardian')),
	CONSTRAINT "memberships_pupil_in_group" CHECK ("memberships"."role" <> 'pupil' or "memberships"."group_id" is not null),
	CONSTRAINT "memberships_staff_in_none" CHECK ("memberships"."role" not in ('admin', 'head', 'teacher') or "memberships"."group_id" is null),
	CONSTRAINT "memberships_end" CHECK (("memberships"."ended_at" is null) = ("memberships"."end_reason" is null))
);
--> statement-breakpoint
CREATE TABLE "schools" (
	"id" uuid PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"vocabulary" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "schools_vocabulary" CHECK ("schools"."vocabulary" in ('school', 'college', 'kindergarten'))
);
--> statement-breakpoint
CREATE TABLE "teacher_attachments" (
	"school_id" uuid NOT NULL,
	"membership_id" uuid NOT NULL,
	"group_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"subject" text NOT NULL,
	"attached_by" uuid,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "teacher_attachments_school_id_membership_id_group_id_kind_subject_pk" PRIMARY KEY("school_id","membership_id","group_id","kind","subject"),
	CONSTRAINT "teacher_attachments_kind" CHECK ("teacher_attachments"."kind" in ('class', 'subject')),
	CONSTRAINT "teacher_attachments_subject" CHECK (("teacher_attachments"."kind" = 'class') = ("teacher_attachments"."subject" = ''))
);
--> statement-breakpoint
CREATE TABLE "verifications" (
	"school_id" uuid NOT NULL,
	"membership_id" uuid NOT NULL,
	"verified_by" uuid,
	"basis" text NOT NULL,
	"verified_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "verifications_school_id_membership_id_pk" PRIMARY KEY("school_id","membership_id"),
	CONSTRAINT "verifications_not_self" CHECK ("verifications"."verified_by" <> "verifications"."membership_id")
);
--> statement-breakpoint
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_account_id_accounts_id_fk" FOREIGN KEY ("account_id") REFERENCES "public"."accounts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "call_removals" ADD CONSTRAINT "call_removals_call" FOREIGN KEY ("school_id","call_id") REFERENCES "public"."calls"("school_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "call_removals" ADD CONSTRAINT "call_removals_membership" FOREIGN KEY ("school_id","membership_id") REFERENCES "public"."memberships"("school_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "call_removals" ADD CONSTRAINT "call_removals_removed_by" FOREIGN KEY ("school_id","removed_by") REFERENCES "public"."memberships"("school_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "calls" ADD CONSTRAINT "calls_conversation" FOREIGN KEY ("school_id","conversation_id") REFERENCES "public"."conversations"("school_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "calls" ADD CONSTRAINT "calls_started_by" FOREIGN KEY ("school_id","started_by") REFERENCES "public"."memberships"("school_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "calls" ADD CONSTRAINT "calls_ended_by" FOREIGN KEY ("school_id","ended_by") REFERENCES "public"."memberships"("school_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "conversation_members" ADD CONSTRAINT "conversation_members_of_conversation" FOREIGN KEY ("school_id","conversation_id") REFERENCES "public"."conversations"("school_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "conversation_members" ADD CONSTRAINT "conversation_members_are_people" FOREIGN KEY ("school_id","membership_id") REFERENCES "public"."memberships"("school_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "messages" ADD CONSTRAINT "messages_are_of_members" FOREIGN KEY ("school_id","conversation_id","sender_id") REFERENCES "public"."conversation_members"("school_id","conversation_id","membership_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "groups" ADD CONSTRAINT "groups_school_id_schools_id_fk" FOREIGN KEY ("school_id") REFERENCES "public"."schools"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "guardian_links" ADD CONSTRAINT "guardian_links_school_id_schools_id_fk" FOREIGN KEY ("school_id") REFERENCES "public"."schools"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "guardian_links" ADD CONSTRAINT "guardian_links_guardian" FOREIGN KEY ("school_id","guardian_id") REFERENCES "public"."memberships"("school_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "guardian_links" ADD CONSTRAINT "guardian_links_child" FOREIGN KEY ("school_id","child_id") REFERENCES "public"."memberships"("school_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "guardian_links" ADD CONSTRAINT "guardian_links_linked_by" FOREIGN KEY ("school_id","linked_by") REFERENCES "public"."memberships"("school_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "invite_redemptions" ADD CONSTRAINT "invite_redemptions_school_id_schools_id_fk" FOREIGN KEY ("school_id") REFERENCES "public"."schools"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "invite_redemptions" ADD CONSTRAINT "invite_redemptions_account_id_accounts_id_fk" FOREIGN KEY ("account_id") REFERENCES "public"."accounts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "invite_redemptions" ADD CONSTRAINT "invite_redemptions_invite" FOREIGN KEY ("school_id","invite_id") REFERENCES "public"."invites"("school_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "invite_redemptions" ADD CONSTRAINT "invite_redemptions_membership" FOREIGN KEY ("school_id","membership_id") REFERENCES "public"."memberships"("school_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "invites" ADD CONSTRAINT "invites_school_id_schools_id_fk" FOREIGN KEY ("school_id") REFERENCES "public"."schools"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "invites" ADD CONSTRAINT "invites_group" FOREIGN KEY ("school_id","group_id") REFERENCES "public"."groups"("school_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "invites" ADD CONSTRAINT "invites_child" FOREIGN KEY ("school_id","child_id") REFERENCES "public"."memberships"("school_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "invites" ADD CONSTRAINT "invites_created_by" FOREIGN KEY ("school_id","created_by") REFERENCES "public"."memberships"("school_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "invites" ADD CONSTRAINT "invites_annulled_by" FOREIGN KEY ("school_id","annulled_by") REFERENCES "public"."memberships"("school_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "memberships" ADD CONSTRAINT "memberships_school_id_schools_id_fk" FOREIGN KEY ("school_id") REFERENCES "public"."schools"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "memberships" ADD CONSTRAINT "memberships_account_id_accounts_id_fk" FOREIGN KEY ("account_id") REFERENCES "public"."accounts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "memberships" ADD CONSTRAINT "memberships_group" FOREIGN KEY ("school_id","group_id") REFERENCES "public"."groups"("school_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "memberships" ADD CONSTRAINT "memberships_ended_by" FOREIGN KEY ("school_id","ended_by") REFERENCES "public"."memberships"("school_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "teacher_attachments" ADD CONSTRAINT "teacher_attachments_school_id_schools_id_fk" FOREIGN KEY ("school_id") REFERENCES "public"."schools"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "teacher_attachments" ADD CONSTRAINT "teacher_attachments_membership" FOREIGN KEY ("school_id","membership_id") REFERENCES "public"."memberships"("school_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "teacher_attachments" ADD CONSTRAINT "teacher_attachments_group" FOREIGN KEY ("school_id","group_id") REFERENCES "public"."groups"("school_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "teacher_attachments" ADD CONSTRAINT "teacher_attachments_attached_by" FOREIGN KEY ("school_id","attached_by") REFERENCES "public"."memberships"("school_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "verifications" ADD CONSTRAINT "verifications_school_id_schools_id_fk" FOREIGN KEY ("school_id") REFERENCES "public"."schools"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "verifications" ADD CONSTRAINT "verifications_membership" FOREIGN KEY ("school_id","membership_id") REFERENCES "public"."memberships"("school_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "verifications" ADD CONSTRAINT "verifications_verified_by" FOREIGN KEY ("school_id","verified_by") REFERENCES "public"."memberships"("school_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "code_challenges_expiry" ON "code_challenges" USING btree ("expires_at");--> statement-breakpoint
CREATE UNIQUE INDEX "sessions_token" ON "sessions" USING btree ("token_hash");--> statement-breakpoint
CREATE UNIQUE INDEX "sessions_next_token" ON "sessions" USING btree ("next_token_hash");--> statement-breakpoint
CREATE UNIQUE INDEX "sessions_previous_token" ON "sessions" USING btree ("previous_token_hash");--> statement-breakpoint
CREATE INDEX "sessions_account" ON "sessions" USING btree ("account_id");--> statement-breakpoint
CREATE UNIQUE INDEX "calls_live" ON "calls" USING btree ("school_id","conversation_id") WHERE "calls"."ended_at" is null;--> statement-breakpoint
CREATE INDEX "calls_to_sweep" ON "calls" USING btree ("active_at") WHERE "calls"."ended_at" is null;--> statement-breakpoint
CREATE INDEX "conversation_members_of_membership" ON "conversation_members" USING btree ("school_id","membership_id") WHERE "conversation_members"."left_at" is null;--> statement-breakpoint
CREATE UNIQUE INDEX "conversations_of_group" ON "conversations" USING btree ("school_id","group_id","kind",coalesce("subject", '')) WHERE "conversations"."group_id" is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "conversations_of_pair" ON "conversations" USING btree ("school_id","first_id","second_id") WHERE "conversations"."first_id" is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "conversations_of_school" ON "conversations" USING btree ("school_id","kind",coalesce("channel", '')) WHERE "conversations"."kind" in ('channel', 'staff');--> statement-breakpoint
CREATE UNIQUE INDEX "messages_of_client" ON "messages" USING btree ("school_id","sender_id","client_message_id") WHERE "messages"."client_message_id" is not null;--> statement-breakpoint
CREATE INDEX "messages_of_call" ON "messages" USING btree ("school_id","conversation_id",("body" ->> 'callId')) WHERE "messages"."body" ->> 'kind' = 'call';--> statement-breakpoint
CREATE INDEX "messages_by_rev" ON "messages" USING btree ("school_id","conversation_id","rev");--> statement-breakpoint
CREATE UNIQUE INDEX "groups_name" ON "groups" USING btree ("school_id",lower("name")) WHERE "groups"."archived_at" is null;--> statement-breakpoint
CREATE UNIQUE INDEX "groups_staff_room" ON "groups" USING btree ("school_id") WHERE "groups"."kind" = 'staff';--> statement-breakpoint
CREATE INDEX "guardian_links_of_child" ON "guardian_links" USING btree ("school_id","child_id");--> statement-breakpoint
CREATE UNIQUE INDEX "invites_token_of_school" ON "invites" USING btree ("school_id","token_hash");--> statement-breakpoint
CREATE INDEX "invites_token" ON "invites" USING btree ("token_hash");--> statement-breakpoint
CREATE UNIQUE INDEX "memberships_active" ON "memberships" USING btree ("school_id","account_id","role") WHERE "memberships"."ended_at" is null;--> statement-breakpoint
CREATE INDEX "memberships_account" ON "memberships" USING btree ("account_id") WHERE "memberships"."ended_at" is null;--> statement-breakpoint
CREATE INDEX "memberships_group_members" ON "memberships" USING btree ("school_id","group_id") WHERE "memberships"."ended_at" is null;--> statement-breakpoint
CREATE INDEX "memberships_directory" ON "memberships" USING btree ("school_id","full_name","id") WHERE "memberships"."ended_at" is null;--> statement-breakpoint
CREATE INDEX "teacher_attachments_of_group" ON "teacher_attachments" USING btree ("school_id","group_id");--> statement-breakpoint
-- By hand: each message changes its conversation's counters and its sender's read mark. With room left on the page such a change
-- touches no index (a heap-only update).
ALTER TABLE "conversations" SET (fillfactor = 50);--> statement-breakpoint
ALTER TABLE "conversation_members" SET (fillfactor = 70);
