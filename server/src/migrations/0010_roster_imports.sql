CREATE TABLE "roster_import_rows" (
	"school_id" uuid NOT NULL,
	"import_id" uuid NOT NULL,
	"position" integer NOT NULL,
	"kind" text NOT NULL,
	"role" text,
	"row" jsonb NOT NULL,
	CONSTRAINT "roster_import_rows_school_id_import_id_position_pk" PRIMARY KEY("school_id","import_id","position")
);
--> statement-breakpoint
CREATE TABLE "roster_imports" (
	"school_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"state" text NOT NULL,
	"file_name" text NOT NULL,
	"file" "bytea",
	"parsed" jsonb,
	"fingerprint" text,
	"counts" jsonb,
	"failure" text,
	"failure_line" integer,
	"created_by" uuid NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"applied_by" uuid,
	"applied_from" text,
	"applied_at" timestamp with time zone,
	CONSTRAINT "roster_imports_school_id_id_pk" PRIMARY KEY("school_id","id"),
	CONSTRAINT "roster_imports_state" CHECK ("roster_imports"."state" in ('reading', 'ready', 'applying', 'applied', 'stale', 'failed'))
);
--> statement-breakpoint
ALTER TABLE "roster_import_rows" ADD CONSTRAINT "roster_import_rows_school_id_schools_id_fk" FOREIGN KEY ("school_id") REFERENCES "public"."schools"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "roster_import_rows" ADD CONSTRAINT "roster_import_rows_import" FOREIGN KEY ("school_id","import_id") REFERENCES "public"."roster_imports"("school_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "roster_imports" ADD CONSTRAINT "roster_imports_school_id_schools_id_fk" FOREIGN KEY ("school_id") REFERENCES "public"."schools"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "roster_imports" ADD CONSTRAINT "roster_imports_created_by" FOREIGN KEY ("school_id","created_by") REFERENCES "public"."memberships"("school_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "roster_imports" ADD CONSTRAINT "roster_imports_applied_by" FOREIGN KEY ("school_id","applied_by") REFERENCES "public"."memberships"("school_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "roster_import_rows_of_kind" ON "roster_import_rows" USING btree ("school_id","import_id","kind","position");