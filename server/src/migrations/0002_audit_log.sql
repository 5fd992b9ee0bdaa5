CREATE TABLE "audit_records" (
	"school_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL,
	"action" text NOT NULL,
	"actor_id" uuid,
	"membership_id" uuid,
	"group_id" uuid,
	"invite_id" uuid,
	"before" jsonb,
	"after" jsonb,
	"address" text,
	CONSTRAINT "audit_records_school_id_id_pk" PRIMARY KEY("school_id","id")
);
--> statement-breakpoint
ALTER TABLE "audit_records" ADD CONSTRAINT "audit_records_school_id_schools_id_fk" FOREIGN KEY ("school_id") REFERENCES "public"."schools"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "audit_records" ADD CONSTRAINT "audit_records_actor" FOREIGN KEY ("school_id","actor_id") REFERENCES "public"."memberships"("school_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "audit_records" ADD CONSTRAINT "audit_records_member" FOREIGN KEY ("school_id","membership_id") REFERENCES "public"."memberships"("school_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "audit_records" ADD CONSTRAINT "audit_records_group" FOREIGN KEY ("school_id","group_id") REFERENCES "public"."groups"("school_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "audit_records" ADD CONSTRAINT "audit_records_invite" FOREIGN KEY ("school_id","invite_id") REFERENCES "public"."invites"("school_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "audit_records_of_actor" ON "audit_records" USING btree ("school_id","actor_id","id");--> statement-breakpoint
CREATE INDEX "audit_records_of_member" ON "audit_records" USING btree ("school_id","membership_id","id");--> statement-breakpoint
CREATE INDEX "audit_records_of_group" ON "audit_records" USING btree ("school_id","group_id","id");--> statement-breakpoint
CREATE INDEX "audit_records_of_action" ON "audit_records" USING btree ("school_id","action","id");--> statement-breakpoint
-- By hand: what was done stays as it was recorded, whoever asks.
CREATE FUNCTION audit_records_are_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'audit records are final' USING ERRCODE = 'insufficient_privilege';
END
$$;--> statement-breakpoint
CREATE TRIGGER audit_records_final BEFORE UPDATE OR DELETE ON "audit_records" FOR EACH ROW EXECUTE FUNCTION audit_records_are_final();--> statement-breakpoint
CREATE TRIGGER audit_records_final_all BEFORE TRUNCATE ON "audit_records" FOR EACH STATEMENT EXECUTE FUNCTION audit_records_are_final();
