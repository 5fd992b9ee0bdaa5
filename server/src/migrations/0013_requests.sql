CREATE TABLE "requests" (
	"school_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"permission" text NOT NULL,
	"what" jsonb NOT NULL,
	"wish" text NOT NULL,
	"about_id" uuid,
	"asked_by" uuid NOT NULL,
	"reason" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"decided_at" timestamp with time zone,
	"outcome" text,
	"decided_by" uuid,
	"comment" text,
	CONSTRAINT "requests_school_id_id_pk" PRIMARY KEY("school_id","id"),
	CONSTRAINT "requests_outcome" CHECK ("requests"."outcome" in ('approved', 'declined', 'withdrawn', 'expired')),
	CONSTRAINT "requests_decision" CHECK (("requests"."decided_at" is null) = ("requests"."outcome" is null)),
	CONSTRAINT "requests_decided" CHECK ("requests"."outcome" is null or ("requests"."outcome" = 'expired') = ("requests"."decided_by" is null))
);
--> statement-breakpoint
DROP INDEX "school_notices_once";--> statement-breakpoint
ALTER TABLE "school_notices" ADD COLUMN "other_id" uuid;--> statement-breakpoint
ALTER TABLE "requests" ADD CONSTRAINT "requests_school_id_schools_id_fk" FOREIGN KEY ("school_id") REFERENCES "public"."schools"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "requests" ADD CONSTRAINT "requests_about" FOREIGN KEY ("school_id","about_id") REFERENCES "public"."memberships"("school_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "requests" ADD CONSTRAINT "requests_asked_by" FOREIGN KEY ("school_id","asked_by") REFERENCES "public"."memberships"("school_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "requests" ADD CONSTRAINT "requests_decided_by" FOREIGN KEY ("school_id","decided_by") REFERENCES "public"."memberships"("school_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "requests_once" ON "requests" USING btree ("school_id","asked_by","wish") WHERE "requests"."decided_at" is null;--> statement-breakpoint
CREATE INDEX "requests_of_asker" ON "requests" USING btree ("school_id","asked_by","id");--> statement-breakpoint
CREATE INDEX "requests_open" ON "requests" USING btree ("school_id","id") WHERE "requests"."decided_at" is null;--> statement-breakpoint
CREATE INDEX "requests_about_member" ON "requests" USING btree ("school_id","about_id") WHERE "requests"."decided_at" is null;--> statement-breakpoint
ALTER TABLE "school_notices" ADD CONSTRAINT "school_notices_other" FOREIGN KEY ("school_id","other_id") REFERENCES "public"."memberships"("school_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "school_notices_once" ON "school_notices" USING btree ("school_id","kind",coalesce("invite_id", "membership_id"),coalesce("other_id", "membership_id", "invite_id")) WHERE "school_notices"."settled_at" is null;