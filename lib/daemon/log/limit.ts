// Rate limits for what the outside can provoke at will: a token bucket for each kind of message, as in vlog. What it forgets is
// bounded: with more kinds than it can hold, the one not seen for longest starts afresh.
import { LRUCache } from 'lru-cache'
import type { Level } from './level.js'
import type { LogText, ModuleLog } from './log.js'

export interface LimitOptions {
  /** Messages a minute, in the long run. */
  readonly perMinute?: number
  /** Messages at once after a quiet time. */
  readonly burst?: number
  /** Kinds of messages kept apart. */
  readonly kinds?: number
  /** Milliseconds on any clock that does not go back. */
  readonly now?: () => number
}

/** Writes messages of a kind as long as there are not too many of that kind. */
export interface LimitedLog {
  err(kind: string, text: LogText): void
  warn(kind: string, text: LogText): void
  info(kind: string, text: LogText): void
  dbg(kind: string, text: LogText): void
}

/** State of one kind: what may still be written, and what was dropped since the last message that was. */
interface Bucket {
  tokens: number
  filledAt: number
  dropped: number
  firstDropped: number
  lastDropped: number
}

/** A rate limited view of a module's log. */
export function limitLog(log: ModuleLog, options: LimitOptions = {}): LimitedLog {
  const { perMinute = 5, burst = 5, kinds = 1000, now = () => performance.now() } = options
  const buckets = new LRUCache<string, Bucket>({ max: kinds })

  const write = (level: Level, kind: string, text: LogText): void => {
    if (!log.enabled(level)) return
    const at = now()
    const bucket = buckets.get(kind) ?? { tokens: burst, filledAt: at, dropped: 0, firstDropped: 0, lastDropped: 0 }
    buckets.set(kind, bucket)
    refill(bucket, at, perMinute, burst)
    if (bucket.tokens < 1) return drop(bucket, at)
    bucket.tokens -= 1
    if (bucket.dropped > 0) log.write(level, droppedText(bucket, at))
    bucket.dropped = 0
    log.write(level, text)
  }
  return {
    err: (kind, text) => write('err', kind, text),
    warn: (kind, text) => write('warn', kind, text),
    info: (kind, text) => write('info', kind, text),
    dbg: (kind, text) => write('dbg', kind, text)
  }
}

function refill(bucket: Bucket, at: number, perMinute: number, burst: number): void {
  bucket.tokens = Math.min(burst, bucket.tokens + ((at - bucket.filledAt) * perMinute) / 60_000)
  bucket.filledAt = at
}

function drop(bucket: Bucket, at: number): void {
  if (bucket.dropped === 0) bucket.firstDropped = at
  bucket.lastDropped = at
  bucket.dropped += 1
}

function droppedText(bucket: Bucket, at: number): string {
  const first = Math.floor((at - bucket.firstDropped) / 1000)
  const last = Math.floor((at - bucket.lastDropped) / 1000)
  return `Dropped ${bucket.dropped} log messages in last ${first} seconds (most recently, ${last} seconds ago) due to excessive rate`
}
