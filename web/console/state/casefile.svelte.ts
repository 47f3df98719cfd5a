// The sheet of one case: read whole, changed on the revision that was read. Where somebody was faster, what was to be
// changed is kept beside what there is now.
import { api, Problem } from '@lib/api'
import type { CaseRow, CaseSheet, Change } from '@lib/cases'
import { OnceKey } from '@lib/once'
import { cases } from './cases.svelte'
import { problemText } from './notices.svelte'

const CHANGED = 'engine.case_changed'

export class CaseFile {
  readonly id: string
  sheet = $state.raw<CaseSheet | null>(null)
  phase = $state<'loading' | 'ready' | 'missing' | 'failed'>('loading')
  /** What went wrong with the last thing that was done to it here. */
  error = $state('')
  busy = $state(false)
  /** What somebody wanted to change, and another has changed the case meanwhile. */
  kept = $state.raw<Change | null>(null)
  #turn = 0
  readonly #change = new OnceKey()
  readonly #note = new OnceKey()
  readonly #photo = new OnceKey()

  constructor(id: string) {
    this.id = id
  }

  get #path(): string {
    return `cases/${encodeURIComponent(this.id)}`
  }

  async load(): Promise<void> {
    const turn = ++this.#turn
    try {
      const sheet = await api.get<CaseSheet>(this.#path)
      if (turn !== this.#turn) return
      // Nothing is drawn anew where nothing has changed: somebody may be writing in it.
      if (JSON.stringify(sheet) !== JSON.stringify(this.sheet)) this.sheet = sheet
      this.phase = 'ready'
    } catch (error) {
      if (turn !== this.#turn) return
      if (this.sheet !== null) return // what was read stands; the next reading tries again
      this.phase = error instanceof Problem && error.status === 404 ? 'missing' : 'failed'
    }
  }

  /** Whether it was done. */
  change(change: Change): Promise<boolean> {
    return this.#do(async () => {
      this.kept = null
      try {
        const revision = this.sheet?.row.revision
        const said = { revision, ...change }
        cases.put(await api.patch<CaseRow>(this.#path, said, { 'Idempotency-Key': this.#change.of(said) }))
        this.#change.answered()
      } catch (error) {
        if (error instanceof Problem && error.body.rule === CHANGED) this.kept = change
        throw error
      }
    })
  }

  move(event: string): Promise<boolean> {
    const row = this.sheet?.row
    if (!row) return Promise.resolve(false)
    return this.#do(async () => void (await cases.begin(row, event)))
  }

  note(text: string): Promise<boolean> {
    return this.#do(async () => {
      const said = { text }
      cases.put(await api.post<CaseRow>(`${this.#path}/notes`, said, { 'Idempotency-Key': this.#note.of(said) }))
      this.#note.answered()
    })
  }

  photograph(picture: File): Promise<boolean> {
    return this.#do(async () => {
      const { name, size, lastModified } = picture
      const headers = { 'Idempotency-Key': this.#photo.of({ name, size, lastModified }) }
      await api.send(`${this.#path}/photos`, picture, headers)
      this.#photo.answered()
    })
  }

  async #do(what: () => Promise<void>): Promise<boolean> {
    if (this.busy) return false
    this.busy = true
    this.error = ''
    try {
      await what()
      return true
    } catch (error) {
      this.error = problemText(error instanceof Problem ? error : null)
      return false
    } finally {
      await this.load()
      this.busy = false
      cases.changed()
    }
  }
}
