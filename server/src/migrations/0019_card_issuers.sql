ALTER TABLE "cards" ADD COLUMN "issued_by" uuid;--> statement-breakpoint
CREATE INDEX "cards_issuer" ON "cards" USING btree ("issued_by");