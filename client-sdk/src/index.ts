export * from '@zvonok/shared';
export type { Api, Call as CallProcedure, Noun, ProcedureInput, ProcedureOutput } from './api.ts';
export type {
  ConversationItem,
  ConversationSnapshot,
  ConversationView,
  ShownMessage,
} from './chat/conversation.ts';
export type { Messenger, MessengerSnapshot } from './chat/messenger.ts';
export type { OutboxSnapshot } from './chat/outbox.ts';
export {
  createIndexedDbOutboxStorage,
  createMemoryOutboxStorage,
  type OutboxStorage,
  type StoredMessage,
} from './chat/outbox-storage.ts';
export { type Client, type ClientOptions, createClient, type SessionState } from './client.ts';
export type { AskForConfirmation } from './confirmation.ts';
export type { ConnectionState } from './connection.ts';
export type { SessionCarrier } from './http.ts';
export * from './lesson.ts';
export {
  type AcquireTrack,
  type LocalTrackError,
  listDevices,
  type MediaDevice,
  type MediaDevicesList,
} from './lesson-devices.ts';
export type { LessonStats } from './lesson-media.ts';
export type { LogLevel } from './logger.ts';
export { type Source, waitFor } from './source.ts';
export { createBrowserStorage, createMemoryStorage, type KeyValueStorage } from './storage.ts';
