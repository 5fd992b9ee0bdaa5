/** Every limit, timeout and size of the product, with its reason. Durations are milliseconds, sizes bytes unless named. */

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** The version of the contract that this code speaks; a server serves this and the previous minor. */
export const contractVersion = '0.1';

export const transportLimits = {
  /** A chat event with its text fits many times; more is an attack or a bug. */
  eventBytes: 64 * 1024,
  /** What is wrong with longer texts is not looked for in detail. */
  explainedTextLength: 5_000,
  /** No contract nests deeper than 6. */
  eventDepth: 16,
  /** A socket that never authenticates holds memory for nothing. */
  authenticateMs: 10 * second,
  requestHeadersMs: 10 * second,
  requestMs: 30 * second,
  /** An upload or download lasts as long as bytes move, and ends when none has for this long. */
  transferStalledMs: 30 * second,
  /** Longer than 10 MB take on the slowest line that a school has. */
  transferMs: 15 * minute,
  procedureMs: 5 * second,
  /** For so long events are written in one turn of the event loop; then others have theirs. */
  eventsTurnMs: 1,
  /** What may wait in one connection's send buffer before it is a slow reader. */
  slowReaderBytes: 1024 * 1024,
  slowReaderMs: 8 * second,
  pingIntervalMs: 20 * second,
  pingTimeoutMs: 15 * second,
  /** How often Node looks for requests that are late: its own 30 s would make 10 s of patience 40. */
  lateRequestsMs: second,
  /** Connections of one session: tabs and reconnects that overlap. */
  socketsPerSession: 20,
  /** Packets of one connection: coming back after an absence is a burst of hundreds, a person is slow. Beyond it: a flood. */
  packets: { max: 1_500, windowMs: 10 * second },
  /** Calls of one session over all its sockets, so that a flood does not go on by reconnecting. */
  callsPerSession: { max: 3_000, windowMs: 10 * second },
  /** Packets of a connection that has not said who it is: one is enough. Each may cost a question to the database. */
  packetsBeforeSession: 5,
  /** Admissions of one session; each reads its audience. The worst network reconnects every few seconds, in several tabs. */
  admissionsPerSession: { max: 240, windowMs: minute },
  /** How long a stop waits for requests under way. */
  stopMs: 20 * second,
} as const;

export const accountLimits = {
  codeLifeMs: 5 * minute,
  codeTries: 5,
  codesPerPhone: { max: 5, windowMs: hour },
  /** A school of 1,000 pupils has 2,600 accounts, and all of them may stand behind one address. */
  codesPerAddress: { max: 3_000, windowMs: hour },
  /** A school signs in from one address at 8:00: this bounds the SMS bill, not the school. */
  codesPerTenant: { max: 3_000, windowMs: hour },
  /** How long a client waits before it offers another code; an SMS rarely takes longer. */
  codeResendMs: minute,
  /** The SMS gateway's answer; nobody waits for it, so this only bounds what piles up. */
  smsMs: 10 * second,
  /** How long a sign-in or a repeated code vouches for dangerous actions: some of them in a row, not an unguarded device. */
  confirmationMs: 10 * minute,
  sessionIdleMs: 30 * day,
  /** How old the answer to "is this token good?" may be; revocation on any node also reaches the cache by signal. */
  sessionCacheMs: second,
  sessionsCached: 20_000,
  /** A token older than this is exchanged for a new one at the next visit. */
  sessionRotateMs: 7 * day,
  /** The old token still works this long after a rotation, for requests under way in other tabs. */
  sessionRotateGraceMs: minute,
  /** A device's last use is written at most this often. */
  sessionTouchMs: 5 * minute,
  /** A child who went away from the school's computer; a lesson and whoever types keep it. */
  sharedIdleMs: 15 * minute,
  sessionsPerAccount: 20,
  cardPinLength: 4,
  /** Wrong PINs in a row after which a card rests, for how long, and after which it is spent: 15 of 10,000 are tried at most. */
  cardTriesAtOnce: 5,
  cardRestMs: 15 * minute,
  cardTries: 15,
  deviceNameLength: 80,
  /** A phone, a laptop, a key on the key ring and a spare one, and room. */
  passkeysPerAccount: 10,
  passkeyNameLength: 60,
  /** From the question to the finger on the key; browsers give up after as long. */
  passkeyCeremonyMs: 5 * minute,
  /** One answer of the identity provider: its description, a token, what it knows of a person. */
  identityProviderMs: 5 * second,
  /** How long its description is believed. */
  identityMetadataMs: hour,
  /** From our page to the provider's and back: somebody looks up a password there. */
  identityAttemptMs: 10 * minute,
  /** A school signs in from one address at 8:00, two requests each. */
  identityPerAddress: { max: 2_400, windowMs: minute },
  identityNameLength: 60,
  /** Characters of base64url: a credential's id has at most 1023 bytes, what browsers sign some hundreds. */
  passkeyIdLength: 1_364,
  passkeyPartLength: 8_000,
} as const;

export const schoolLimits = {
  nameLength: 120,
  groupNameLength: 40,
  /** Of study; the table `groups` has the same bound. */
  groupYearMax: 20,
  addressLength: 300,
  emailLength: 200,
  urlLength: 500,
  subjectLength: 60,
  /** A line naming the paper that was seen. */
  basisLength: 300,
  /** Why something was taken back, refused or asked for. */
  reasonLength: 500,
  inviteUsesMax: 500,
  inviteLifeMaxMs: 180 * day,
  inviteLifeMs: 14 * day,
  /** 256 bits, as sessions: an invite is a key to a room with children. */
  inviteTokenBytes: 32,
  /** How old a loaded actor may be (promise P14); changes on any node also reach the cache by signal. */
  actorCacheMs: second,
  actorsCached: 20_000,
  invitesListed: 200,
  /** Expected pupils of a class with their guardians, three each, and room. */
  personalInvites: 300,
  /** Above so many at once a list is read again instead of told of each. */
  invitesToldSingly: 20,
  /**
   * The leak alarm: an invite of a class is suspended from so many redeemers on whom the class's roster does not know,
   * where they are more than this share of all; or where more come than the roster has people. One or two newcomers whom
   * nobody has put on the roster yet, and a grandmother, are no leak.
   */
  inviteLeak: { strangers: 3, share: 0.5, surplus: 2, guardiansPerPupil: 3 },
  /** People of one class on the roster, guardians included, among whom a redeemer is looked for. */
  classRosterRead: 500,
  groupsListed: 500,
  classesPageSize: 100,
  membersListed: 500,
  /** A name of a few words, or a phone. */
  searchLength: 60,
  /** Fewer digits than these are no part of a phone that somebody looks for. */
  searchDigits: 3,
  /** Moved or ended at once: more than the largest class, and short enough for one answer. */
  movedAtOnce: 100,
  /** What somebody did by mistake with a person shows on the same day. */
  restoreMs: day,
  /** A school finds what went wrong in the first weeks of September. */
  undoRolloverMs: 30 * day,
  /** Classes of one year of study and their teachers, and room. */
  rolloverChoices: 500,
  auditPageSize: 200,
  /** Records read at once for a table of them. */
  auditExportBatch: 500,
  /** Of a school: each reads all of the log. */
  auditExports: { max: 20, windowMs: hour },
  noticesPageSize: 50,
} as const;

export const requestLimits = {
  lifeMs: 14 * day,
  /** Of one membership: more is nobody's work and a burden for who decides. */
  openPerMember: 20,
  pageSize: 50,
  /** With the name of whoever wrote it, it fits a message. */
  postLength: 3_800,
  likelyChildren: 10,
} as const;

export const rosterLimits = {
  externalIdLength: 40,
  /** Children, classes and subjects in one cell. */
  perCell: 60,
  fileNameLength: 120,
  /** A file and what it would change hold the data of many: they go after a day. */
  importLifeMs: day,
  importsListed: 20,
  /** Each costs a job and the disk a file. */
  importsPerSchool: { max: 60, windowMs: hour },
  uploadsAtOnce: 10,
  /** Reading a file is a matter of seconds; one that takes longer was made to. */
  readMs: minute,
  readHeapMb: 256,
  /** Rows written in one statement: putting it together takes a few milliseconds, in which nobody else is served. */
  batch: 100,
  /** Lines of a preview in one page. */
  rowsPage: 200,
  /** Namesakes beyond these are nobody's help. */
  matchesAnswered: 10,
  pageSize: 200,
} as const;

/** Tables that people give in. A school of 1,000 pupils has 3,600 lines; all its text is below a megabyte. */
export const spreadsheetLimits = {
  fileBytes: 5 * 1024 * 1024,
  /** Of a workbook, all parts that are read together: a bomb of a few kilobytes unpacks to gigabytes. */
  unpackedBytes: 64 * 1024 * 1024,
  archiveEntries: 2_000,
  rows: 10_000,
  columns: 64,
  cellLength: 2_000,
} as const;

export const joiningLimits = {
  /** Without 0, O, 1, I, L, and without U: read aloud and typed from paper. */
  codeAlphabet: '23456789ABCDEFGHJKMNPQRSTVWXYZ',
  /** 30 letters: 6.5 · 10^11 codes, of which a school has one; guesses are bounded by the limits below. */
  codeLength: 8,
  /** Codes that one person tries. Whoever types wrong three times looks again. */
  codeTriesPerAccount: { max: 20, windowMs: hour },
  /** Texts to phones of strangers by one school's code: a parents' evening fits, and nobody runs up a bill by a code on a poster. */
  strangersPerSchool: { max: 400, windowMs: hour },
  /** What one person asks of all schools. */
  requestsPerDay: 5,
  requestLifeMs: 30 * day,
  /** After a refusal, before the same person asks the same school for the same role again. */
  pauseMs: 3 * day,
  /** The class or the child, in the applicant's words. */
  wordsLength: 120,
  messageLength: 500,
  reasonLength: 500,
  /** Each is shown with whom of the roster it may be. */
  pageSize: 30,
  ownListed: 50,
  namesakesAnswered: 5,
} as const;

export const deskLimits = {
  registerIdLength: 40,
  orderNumberLength: 60,
  /** A reason, a question, an answer. */
  reasonLength: 2_000,
  /** 256 bits, as invites. */
  tokenBytes: 32,
  pageSize: 50,
  /** A school whose administrators nobody has seen for so long counts as having lost them all. */
  adminAbsentMs: 14 * day,
  /** A scan of one page, as phones and office scanners make it. */
  orderBytes: 10 * 1024 * 1024,
  orderNameLength: 120,
  /** A scan is personal: it stays with the school that was made of it, and leaves with what came to nothing. */
  orderKeptDeclinedMs: 30 * day,
  orderKeptUndecidedMs: 90 * day,
  /** Of one address in a day: a region's office applies for its schools, a flood does not get far. */
  applicationsPerAddress: { max: 30, windowMs: day },
  /** Of the whole server: far above what happens, and a bound all the same. */
  applicationsPerServer: { max: 3_000, windowMs: day },
  /** A scan that is sent again takes the place of the last one, and costs the disk as much. */
  ordersPerApplication: { max: 20, windowMs: day },
  ordersPerServer: { max: 500, windowMs: day },
  /** Each may hold `orderBytes` of memory. */
  uploadsAtOnce: 20,
} as const;

export const chatLimits = {
  textLength: 4_000,
  pageSize: 100,
  changesPageSize: 500,
  /** What a writer gathers before it commits; the delay a lone message pays. */
  commitGatherMs: 1,
  /** Groups being committed at once: while one is on its way to the disk, the answers of another go out. */
  commitLanes: 2,
  /** Fewer than this wait for the group that is on its way: a commit costs the database as much as several messages. */
  commitLaneMin: 8,
  commitBatch: 256,
  /** Messages waiting to be committed before senders are told to come back. */
  commitQueue: 5_000,
  typingMs: 6 * second,
  /** How often a client compares its revisions with the server's: heals a lost last event. */
  headsMs: 15 * second,
  /** Coming, going and typing are told to everyone in a conversation: beyond this it is noise and load. */
  presenceMembers: 100,
  /** A phone that loses its network for a moment has not left. */
  presenceGraceMs: 8 * second,
} as const;

export const callLimits = {
  /** A ticket is asked for right before it is used. */
  ticketLifeMs: minute,
  /** A call that everybody has left waits this long for somebody to come back, then ends. */
  emptyCallMs: 3 * minute,
  /** How often deserted calls are looked for, and calls with people marked as active; well below emptyCallMs. */
  sweepMs: 20 * second,
  sweptAtOnce: 100,
  /** A change of rights reaches the media in a second (P14): half of it is for the database to say which. */
  judgeMs: 500,
  fullRetryMs: 10 * second,
  /** How often the count of people in a call is told to the chat. */
  participantsToldMs: second,
} as const;

export const mediaLimits = {
  peersPerRoom: 100,
  /** Simulcast layers of a camera. */
  encodings: 3,
  /** Pictures that one client is sent at once: a page of the grid, the strip and a screen. */
  visibleTiles: 25,
  /** Above so many microphones a client hears those who spoke last, not all: consumers cost the SFU. */
  audioConsumers: 40,
  messageBytes: 64 * 1024,
  messageDepth: 12,
  /** A connection that has no ticket to show holds memory for nothing. */
  joinMs: 10 * second,
  /** Connections that have not joined yet, in all and from one address (a school stands behind one). */
  unjoinedConnections: 1_000,
  unjoinedPerAddress: 300,
  /** Per connection: a join with its consumers is a burst, and a person clicks slowly. */
  requests: { burst: 240, perSecond: 40 },
  /** Requests of one connection that are under way or wait their turn. */
  requestsPending: 64,
  /** The server's WebSocket ping; a peer that misses two is gone, in 15 s at most. */
  heartbeatMs: 5 * second,
  heartbeatsMissed: 2,
  slowReaderBytes: 1024 * 1024,
  /** Worker: how often it is asked for a sign of life, and how long it has to answer (P12: noticed in 4 s). */
  watchdogIntervalMs: 1 * second,
  watchdogDeadlineMs: 2 * second,
  /** No request to the SFU stays open longer (P12). */
  sfuRequestMs: 6 * second,
  /** A worker that was told to close and still runs is killed. */
  workerCloseMs: 2 * second,
  /** A hand stays up this long without its owner: a lost connection is no answer. */
  absentHandMs: 2 * minute,
  /** Voices reported at once, how often, and from what level. */
  audioLevelEntries: 6,
  audioLevelIntervalMs: 400,
  audioLevelThresholdDb: -60,
  /** Nobody is the active speaker after so much silence; shorter pauses belong to talking. */
  quietMs: 3 * second,
  /** Bits per second: where the estimate of a receiver's line starts, and what one person may send. */
  initialOutgoingBitrate: 800_000,
  incomingBitrateMax: 5_000_000,
} as const;

/** How the SDK keeps a lesson going. */
export const lessonLimits = {
  openMs: 5 * second,
  /** Longer than any answer of the server may take, so that its own word arrives. */
  requestMs: 8 * second,
  pingMs: 4 * second,
  silenceMs: 10 * second,
  /** A room that moves has its new place in milliseconds: all come back at once, a little apart. */
  movedMs: 300,
  retryMinMs: 300,
  retryMaxMs: 8 * second,
  /** What held this long did not fail of its beginning: the next try comes soon. */
  settledMs: 10 * second,
  /** ICE often comes back by itself; then it is asked to; then the lesson is joined anew. */
  iceGraceMs: 2 * second,
  iceRestartMs: 4 * second,
  /** A grid that is being scrolled is told about once. */
  visibleMs: 100,
  statsMs: 3 * second,
  /** From here on a person notices. */
  poorLossRatio: 0.05,
  poorRttMs: 500,
} as const;

export const statementLimits = {
  statementMs: 5 * second,
  /** A transaction that waits for its own code this long has lost it; its locks must not outlive that. */
  idleInTransactionMs: 10 * second,
  connectMs: 5 * second,
  /** Connections of brief transactions, beside the pool: the groups of messages that are written at once. */
  briefConnections: 2,
  /** After a failed connection the next attempt waits at most this long: P8 wants the first ack 3 s after Postgres is ready. */
  reconnectMaxMs: 500,
  /** A migration may rewrite a table; it runs before anybody is served. */
  migrationStatementMs: 10 * minute,
  /** Serialization failures and deadlocks of one transaction that are tried again before they are given up. */
  transactionRetries: 4,
} as const;

/** The embedded PostgreSQL: P17 wants a server ready within 10 s of any crash, recovery included. */
export const embeddedPostgresLimits = {
  initdbMs: 60 * second,
  /** Recovery after a crash replays at most max_wal_size; beyond this the log is shown to a human. */
  readyMs: 60 * second,
  /** How long an orphan of ours may take to answer before it is stopped and started afresh. */
  adoptMs: 3 * second,
  /** Fast shutdown (sessions are cut, a checkpoint is written), then immediate. */
  stopMs: 10 * second,
  /** How long a start waits for another server that is leaving the same data directory. */
  takeoverMs: 5 * second,
  /** An adopted postmaster is not our child: its death is noticed by looking this often. */
  watchMs: 500,
  /** Restarts of a dying postmaster wait from the first to the second. */
  restartMinMs: 100,
  restartMaxMs: 5 * second,
  /** The server's own log is started afresh beyond this. */
  logBytes: 4 * 1024 * 1024,
} as const;

/** Work that takes longer than a procedure may. */
export const jobLimits = {
  connections: 2,
  connectMs: 5 * second,
  statementMs: minute,
  /** Attempts after the first, and the pause before each. */
  retries: 2,
  retryMs: second,
  /** The longest that one attempt may take. */
  runMs: 5 * minute,
  /** A node that has not said for so long that it is at it counts as dead. */
  heartbeatMs: 30 * second,
  /** How often jobs are looked for that nobody was woken for: those of another node, and attempts after a failure. */
  lookMs: 20 * second,
  superviseMs: minute,
  /** Jobs that wait for other jobs: there are none. */
  flowMs: hour,
  /** How long it is known what became of a job. */
  keptMs: day,
  /** Within what a stop may take as a whole (P10). */
  stopMs: 10 * second,
} as const;

export const redisLimits = {
  /** Publishes that may wait while Redis is away: a doorbell that is late is useless, so few, never without bound (P7). */
  publishQueue: 2_000,
  reconnectMaxMs: 1 * second,
  connectMs: 3 * second,
  /** A counter that Redis does not answer in this time counts as down. */
  commandMs: 500,
  /** A Redis that is paused, not dead, answers no ping; its connections are given up after two missed ones. */
  pingMs: 5 * second,
  silentMs: 12 * second,
} as const;

/** How the SDK behaves. */
export const clientLimits = {
  /** Longer than a procedure may take, so that a silent ack means a dead link and not a slow server. */
  callMs: 8 * second,
  connectMs: 8 * second,
  /** Between attempts, half of it random: P9 wants everybody back within 5 s, and not in one wave. */
  reconnectMinMs: 300,
  reconnectMaxMs: 3 * second,
  /** The first attempt after the server cut everybody at once waits up to this long. */
  spreadMs: 1 * second,
  /** Failed attempts after which people are told that there is no connection. */
  failuresUntilOffline: 3,
  /** An event may overtake another on its way from two nodes: how long a gap may stay before it is asked for. */
  gapMs: 150,
  /** Missed changes above which the newest page is read instead: cheaper than to replay them, and nobody scrolls so far. */
  healedChanges: 2_000,
  /** Messages that an opened conversation shows at first. */
  firstPage: 50,
  /** Messages that stay in memory once nobody has looked at the conversation for `forgetMs`. */
  keptMessages: 100,
  forgetMs: minute,
  /** Events kept while the state that they change is on its way. */
  heldEvents: 1_000,
  /** Conversations that are read one by one after an absence; beyond it the whole list is read. */
  singleReads: 3,
  /** Between attempts to send a message that was refused for now (P8: first ack within 3 s of recovery). */
  resendMinMs: 300,
  resendMaxMs: 2 * second,
  /** How often a tab looks for messages that a dead tab has left unsent. */
  adoptMs: 15 * second,
  /** A read mark is told at most this often. */
  readMarkMs: 1 * second,
  /** The list of members is read again at most this often while it changes. */
  membersMs: 1 * second,
} as const;
