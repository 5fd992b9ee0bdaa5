import type { ConversationId } from '@zvonok/client-sdk';
import { useCallback, useSyncExternalStore } from 'react';

/** What was typed and not sent yet, while the tab lives; never stored, so nothing is left after sign-out. */
const drafts = new Map<ConversationId, string>();
const listeners = new Set<() => void>();

export function draftOf(conversationId: ConversationId): string {
  return drafts.get(conversationId) ?? '';
}

export function keepDraft(conversationId: ConversationId, text: string): void {
  if (text === '') drafts.delete(conversationId);
  else drafts.set(conversationId, text);
  for (const listener of listeners) listener();
}

export function forgetDrafts(): void {
  drafts.clear();
  for (const listener of listeners) listener();
}

export function useDraft(conversationId: ConversationId): string {
  const subscribe = useCallback((listener: () => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, []);
  return useSyncExternalStore(subscribe, () => draftOf(conversationId));
}
