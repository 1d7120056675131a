// A headless Chromium on a host of the lab, told what to do over its DevTools protocol on two pipes: one page, looked at and clicked.
import type { Readable, Writable } from 'node:stream'
import type { ChildProcess } from 'node:child_process'
import type { Lab } from '../../lab/lab.js'
import { PATIENCE } from '../../lab/wait.js'

interface Message {
  readonly id?: number
  readonly method?: string
  readonly params?: unknown
  readonly result?: unknown
  readonly error?: { readonly message: string }
}

const FLAGS = ['--headless=new', '--no-sandbox', '--remote-debugging-pipe', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--disable-extensions', '--disable-sync',
  '--disable-background-networking', '--disable-component-update', '--hide-scrollbars', '--password-store=basic']

/** In ms: a browser that says nothing for so long does not work. */
const TIMEOUT = 60_000

export class Browser {
  readonly #child: ChildProcess
  readonly #to: Writable
  readonly #waiting = new Map<number, { readonly resolve: (result: unknown) => void, readonly reject: (error: Error) => void }>()
  #id = 0
  #session: string | undefined
  #unread = ''
  #said = ''
  /** What the page complained of: exceptions, what its policy refused, errors of any kind. */
  readonly complaints: string[] = []

  private constructor(child: ChildProcess) {
    this.#child = child
    this.#to = child.stdio[3] as Writable
    ;(child.stdio[4] as Readable).setEncoding('utf8').on('data', (text: string) => this.#read(text))
    child.stderr?.setEncoding('utf8').on('data', (text: string) => { this.#said = (this.#said + text).slice(-4_000) })
    // A pipe that broke says so when the program ends.
    this.#to.on('error', () => undefined)
    child.on('exit', (code) => this.#fail(`Chromium ended with ${code}: ${this.#said}`))
  }

  /** Starts it with one empty page of that size, in CSS pixels. */
  static async start(lab: Lab, host: string, width: number, height: number): Promise<Browser> {
    const profile = `${lab.host(host).dir}/chromium`
    const browser = new Browser(lab.spawn(host, ['chromium', ...FLAGS, `--user-data-dir=${profile}`, 'about:blank'],
      { stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'], env: { HOME: lab.host(host).dir } }))
    const { targetId } = await browser.#ask<{ readonly targetId: string }>('Target.createTarget', { url: 'about:blank' })
    const { sessionId } = await browser.#ask<{ readonly sessionId: string }>('Target.attachToTarget', { targetId, flatten: true })
    browser.#session = sessionId
    for (const domain of ['Page', 'Runtime', 'Log']) await browser.#ask(`${domain}.enable`)
    await browser.#ask('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: false })
    return browser
  }

  async open(url: string): Promise<void> {
    await this.#ask('Page.navigate', { url })
  }

  /** The value of an expression in the page; promises are waited for. */
  async evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.#ask<{ readonly result: { readonly value: T }, readonly exceptionDetails?: { readonly exception?: { readonly description?: string }, readonly text: string } }>(
      'Runtime.evaluate', { expression, returnByValue: true, awaitPromise: true })
    if (exceptionDetails !== undefined) throw new Error(`in the page, '${expression}': ${exceptionDetails.exception?.description ?? exceptionDetails.text}`)
    return result.value
  }

  /** A PNG of what is seen. */
  async screenshot(): Promise<Buffer> {
    const { data } = await this.#ask<{ readonly data: string }>('Page.captureScreenshot', { format: 'png' })
    return Buffer.from(data, 'base64')
  }

  async close(): Promise<void> {
    this.#session = undefined
    await this.#ask('Browser.close').catch(() => undefined)
  }

  async #ask<T>(method: string, params: Readonly<Record<string, unknown>> = {}): Promise<T> {
    const id = ++this.#id
    return await new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`Chromium does not answer ${method}: ${this.#said}`)), TIMEOUT * PATIENCE)
      const done = () => {
        clearTimeout(timer)
        this.#waiting.delete(id)
      }
      this.#waiting.set(id, { resolve: (result) => { done(); resolve(result as T) }, reject: (error) => { done(); reject(error) } })
      this.#to.write(`${JSON.stringify({ id, method, params, ...(this.#session === undefined ? {} : { sessionId: this.#session }) })}\0`)
    })
  }

  #read(text: string): void {
    const parts = (this.#unread + text).split('\0')
    this.#unread = parts.pop() ?? ''
    for (const part of parts) this.#take(JSON.parse(part) as Message)
  }

  #take({ id, method, params, result, error }: Message): void {
    if (id !== undefined) {
      const waiting = this.#waiting.get(id)
      if (error === undefined) waiting?.resolve(result)
      else waiting?.reject(new Error(`Chromium: ${error.message}`))
    } else if (method === 'Runtime.exceptionThrown' || (method === 'Log.entryAdded' && JSON.stringify(params).includes('"level":"error"'))) {
      this.complaints.push(JSON.stringify(params))
    }
  }

  #fail(why: string): void {
    for (const { reject } of this.#waiting.values()) reject(new Error(why))
  }
}
