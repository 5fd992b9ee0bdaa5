CREATE TABLE "operator_records" (
	"id" uuid PRIMARY KEY NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL,
	"action" text NOT NULL,
	"by_id" uuid,
	"operator_id" uuid,
	"application_id" uuid,
	"school_id" uuid,
	"note" text,
	"address" text
);
--> statement-breakpoint
ALTER TABLE "accounts" ADD COLUMN "last_seen_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "operator_records" ADD CONSTRAINT "operator_records_by_id_operators_account_id_fk" FOREIGN KEY ("by_id") REFERENCES "public"."operators"("account_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "operator_records" ADD CONSTRAINT "operator_records_operator_id_operators_account_id_fk" FOREIGN KEY ("operator_id") REFERENCES "public"."operators"("account_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "operator_records" ADD CONSTRAINT "operator_records_application_id_applications_id_fk" FOREIGN KEY ("application_id") REFERENCES "public"."applications"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "operator_records" ADD CONSTRAINT "operator_records_school_id_schools_id_fk" FOREIGN KEY ("school_id") REFERENCES "public"."schools"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "operator_records_of_school" ON "operator_records" USING btree ("school_id","id");--> statement-breakpoint
-- By hand: what was done stays as it was recorded, whoever asks.
CREATE TRIGGER operator_records_final BEFORE UPDATE OR DELETE ON "operator_records" FOR EACH ROW EXECUTE FUNCTION audit_records_are_final();--> statement-breakpoint
CREATE TRIGGER operator_records_final_all BEFORE TRUNCATE ON "operator_records" FOR EACH STATEMENT EXECUTE FUNCTION audit_records_are_final();
