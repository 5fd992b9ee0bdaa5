CREATE TABLE "parted_links" (
	"school_id" uuid NOT NULL,
	"guardian_id" uuid NOT NULL,
	"child_id" uuid NOT NULL,
	"parted_at" timestamp with time zone DEFAULT now() NOT NULL,
	"may_be_informed" boolean NOT NULL,
	"may_be_contacted" boolean NOT NULL,
	"limit_reason" text,
	"limited_at" timestamp with time zone,
	"limited_by" uuid,
	CONSTRAINT "parted_links_school_id_guardian_id_child_id_pk" PRIMARY KEY("school_id","guardian_id","child_id")
);
--> statement-breakpoint
ALTER TABLE "parted_links" ADD CONSTRAINT "parted_links_school_id_schools_id_fk" FOREIGN KEY ("school_id") REFERENCES "public"."schools"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "parted_links" ADD CONSTRAINT "parted_links_guardian" FOREIGN KEY ("school_id","guardian_id") REFERENCES "public"."memberships"("school_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "parted_links" ADD CONSTRAINT "parted_links_child" FOREIGN KEY ("school_id","child_id") REFERENCES "public"."memberships"("school_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "parted_links" ADD CONSTRAINT "parted_links_limited_by" FOREIGN KEY ("school_id","limited_by") REFERENCES "public"."memberships"("school_id","id") ON DELETE no action ON UPDATE no action;