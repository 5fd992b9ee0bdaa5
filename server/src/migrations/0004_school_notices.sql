CREATE TABLE "school_notices" (
	"school_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"kind" text NOT NULL,
	"membership_id" uuid,
	"invite_id" uuid,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"settled_at" timestamp with time zone,
	"settled_by" uuid,
	CONSTRAINT "school_notices_school_id_id_pk" PRIMARY KEY("school_id","id"),
	CONSTRAINT "school_notices_subject" CHECK ("school_notices"."membership_id" is not null or "school_notices"."invite_id" is not null),
	CONSTRAINT "school_notices_settlement" CHECK (("school_notices"."settled_at" is null) = ("school_notices"."settled_by" is null))
);
--> statement-breakpoint
ALTER TABLE "school_notices" ADD CONSTRAINT "school_notices_school_id_schools_id_fk" FOREIGN KEY ("school_id") REFERENCES "public"."schools"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "school_notices" ADD CONSTRAINT "school_notices_member" FOREIGN KEY ("school_id","membership_id") REFERENCES "public"."memberships"("school_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "school_notices" ADD CONSTRAINT "school_notices_invite" FOREIGN KEY ("school_id","invite_id") REFERENCES "public"."invites"("school_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "school_notices" ADD CONSTRAINT "school_notices_settled_by" FOREIGN KEY ("school_id","settled_by") REFERENCES "public"."memberships"("school_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "school_notices_once" ON "school_notices" USING btree ("school_id","kind",coalesce("invite_id", "membership_id")) WHERE "school_notices"."settled_at" is null;--> statement-breakpoint
CREATE INDEX "school_notices_open" ON "school_notices" USING btree ("school_id","id") WHERE "school_notices"."settled_at" is null;--> statement-breakpoint
CREATE INDEX "school_notices_settled" ON "school_notices" USING btree ("school_id","id") WHERE "school_notices"."settled_at" is not null;