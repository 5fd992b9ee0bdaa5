import type { ConversationMember, MembershipId } from '@zvonok/shared';
import type { CodedError } from '@zvonok/shared/errors.ts';
import { clientLimits } from '@zvonok/shared/limits.ts';
import type { ClientLogger } from '../logger.ts';

export interface MemberListPorts {
  readonly read: () => Promise<{ readonly members: readonly ConversationMember[] }>;
  readonly isGone: () => boolean;
  readonly changed: () => void;
  readonly logger: ClientLogger;
}

/** Who belongs to one conversation, from the first `load` on. */
export class MemberList {
  readonly #ports: MemberListPorts;
  #members: readonly ConversationMember[] | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(ports: MemberListPorts) {
    this.#ports = ports;
  }

  get members(): readonly ConversationMember[] | undefined {
    return this.#members;
  }

  /** Rejects with `CodedError`. */
  async load(): Promise<void> {
    const { members } = await this.#ports.read();
    if (this.#ports.isGone()) return;
    this.#members = members;
    this.#ports.changed();
  }

  /** People came or went: reads the list again in a moment, if it is held. */
  refreshSoon(): void {
    if (this.#members === undefined || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#refresh();
    }, clientLimits.membersMs);
  }

  /** The connection is there (again). */
  wake(): void {
    this.close();
    if (this.#members !== undefined) this.#refresh();
  }

  setOnline(membershipId: MembershipId, online: boolean): void {
    const members = this.#members;
    const index = members?.findIndex((member) => member.membershipId === membershipId) ?? -1;
    const member = members?.[index];
    if (members === undefined || member === undefined || member.online === online) return;
    this.#members = members.with(index, { ...member, online });
    this.#ports.changed();
  }

  forget(): void {
    this.#members = undefined;
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #refresh(): void {
    this.load().catch((error: CodedError) =>
      this.#ports.logger.debug('members could not be read', { code: error.code }),
    );
  }
}
