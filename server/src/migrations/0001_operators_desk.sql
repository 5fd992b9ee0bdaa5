CREATE TABLE "application_orders" (
	"application_id" uuid PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"type" text NOT NULL,
	"bytes" "bytea" NOT NULL,
	"attached_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "applications" (
	"id" uuid PRIMARY KEY NOT NULL,
	"token_hash" text NOT NULL,
	"state" text DEFAULT 'submitted' NOT NULL,
	"school_name" text NOT NULL,
	"vocabulary" text NOT NULL,
	"address" text NOT NULL,
	"register_id" text NOT NULL,
	"order_number" text NOT NULL,
	"order_date" date NOT NULL,
	"admin_name" text NOT NULL,
	"admin_email" text NOT NULL,
	"admin_phone" text NOT NULL,
	"note" text,
	"answer" text,
	"submitted_at" timestamp with time zone DEFAULT now() NOT NULL,
	"decided_at" timestamp with time zone,
	"decided_by" uuid,
	"school_id" uuid,
	CONSTRAINT "applications_state" CHECK ("applications"."state" in ('submitted', 'questioned', 'approved', 'declined')),
	CONSTRAINT "applications_school_made" CHECK (("applications"."state" = 'approved') = ("applications"."school_id" is not null)),
	CONSTRAINT "applications_decision" CHECK (("applications"."state" in ('approved', 'declined')) = ("applications"."decided_at" is not null))
);
--> statement-breakpoint
CREATE TABLE "operators" (
	"account_id" uuid PRIMARY KEY NOT NULL,
	"full_name" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"removed_at" timestamp with time zone
);
--> statement-breakpoint
ALTER TABLE "schools" ADD COLUMN "suspended_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "schools" ADD COLUMN "suspend_reason" text;--> statement-breakpoint
ALTER TABLE "application_orders" ADD CONSTRAINT "application_orders_application_id_applications_id_fk" FOREIGN KEY ("application_id") REFERENCES "public"."applications"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "applications" ADD CONSTRAINT "applications_decided_by_operators_account_id_fk" FOREIGN KEY ("decided_by") REFERENCES "public"."operators"("account_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "applications" ADD CONSTRAINT "applications_school_id_schools_id_fk" FOREIGN KEY ("school_id") REFERENCES "public"."schools"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "operators" ADD CONSTRAINT "operators_account_id_accounts_id_fk" FOREIGN KEY ("account_id") REFERENCES "public"."accounts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "applications_token" ON "applications" USING btree ("token_hash");--> statement-breakpoint
CREATE UNIQUE INDEX "applications_school" ON "applications" USING btree ("school_id") WHERE "applications"."school_id" is not null;--> statement-breakpoint
CREATE INDEX "applications_queue" ON "applications" USING btree ("state","id");--> statement-breakpoint
CREATE INDEX "applications_register_id" ON "applications" USING btree ("register_id");--> statement-breakpoint
CREATE INDEX "applications_admin_phone" ON "applications" USING btree ("admin_phone");--> statement-breakpoint
ALTER TABLE "schools" ADD CONSTRAINT "schools_suspension" CHECK (("schools"."suspended_at" is null) = ("schools"."suspend_reason" is null));