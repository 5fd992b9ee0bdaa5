CREATE TABLE "former_groups" (
	"school_id" uuid NOT NULL,
	"membership_id" uuid NOT NULL,
	"group_id" uuid NOT NULL,
	"started_at" timestamp with time zone NOT NULL,
	"ended_at" timestamp with time zone NOT NULL,
	"moved_by" uuid,
	CONSTRAINT "former_groups_school_id_membership_id_ended_at_pk" PRIMARY KEY("school_id","membership_id","ended_at")
);
--> statement-breakpoint
CREATE TABLE "rollovers" (
	"school_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"applied_at" timestamp with time zone DEFAULT now() NOT NULL,
	"applied_by" uuid NOT NULL,
	"undone_at" timestamp with time zone,
	"undone_by" uuid,
	"changes" jsonb NOT NULL,
	CONSTRAINT "rollovers_school_id_id_pk" PRIMARY KEY("school_id","id"),
	CONSTRAINT "rollovers_undone" CHECK (("rollovers"."undone_at" is null) = ("rollovers"."undone_by" is null))
);
--> statement-breakpoint
DROP INDEX "memberships_of_role";--> statement-breakpoint
ALTER TABLE "memberships" ADD COLUMN "search_name" text GENERATED ALWAYS AS (translate(' ' || lower(full_name), 'ё-.()''’', 'е      ')) STORED NOT NULL;--> statement-breakpoint
ALTER TABLE "memberships" ADD COLUMN "is_head" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "former_groups" ADD CONSTRAINT "former_groups_school_id_schools_id_fk" FOREIGN KEY ("school_id") REFERENCES "public"."schools"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "former_groups" ADD CONSTRAINT "former_groups_membership" FOREIGN KEY ("school_id","membership_id") REFERENCES "public"."memberships"("school_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "former_groups" ADD CONSTRAINT "former_groups_group" FOREIGN KEY ("school_id","group_id") REFERENCES "public"."groups"("school_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "former_groups" ADD CONSTRAINT "former_groups_moved_by" FOREIGN KEY ("school_id","moved_by") REFERENCES "public"."memberships"("school_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "rollovers" ADD CONSTRAINT "rollovers_school_id_schools_id_fk" FOREIGN KEY ("school_id") REFERENCES "public"."schools"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "rollovers" ADD CONSTRAINT "rollovers_applied_by" FOREIGN KEY ("school_id","applied_by") REFERENCES "public"."memberships"("school_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "rollovers" ADD CONSTRAINT "rollovers_undone_by" FOREIGN KEY ("school_id","undone_by") REFERENCES "public"."memberships"("school_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "memberships_by_role" ON "memberships" USING btree ("school_id","role","full_name","id") WHERE "memberships"."ended_at" is null;--> statement-breakpoint
CREATE INDEX "memberships_ended" ON "memberships" USING btree ("school_id","full_name","id") WHERE "memberships"."ended_at" is not null;--> statement-breakpoint
CREATE INDEX "memberships_of_person" ON "memberships" USING btree ("school_id","account_id");--> statement-breakpoint
CREATE UNIQUE INDEX "memberships_head" ON "memberships" USING btree ("school_id") WHERE "memberships"."is_head" and "memberships"."ended_at" is null;--> statement-breakpoint
ALTER TABLE "memberships" ADD CONSTRAINT "memberships_head_is_head" CHECK (not "memberships"."is_head" or "memberships"."role" = 'head');