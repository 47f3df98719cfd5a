// Short notices at the edge of the map: what went wrong with something a person just did, or that it is done.
import type { Problem } from '@lib/api'
import { day } from '@lib/format'
import { has, t } from '@lib/i18n.svelte'
import type { Refusal } from '@lib/types'
import { stateWord } from './words'

export interface Notice {
  id: number
  text: string
  kind: 'said' | 'wrong'
}

const SHOWN_MS = 8_000
const SHOWN_MAX = 4

class Notices {
  all = $state.raw<Notice[]>([])
  #next = 1

  say(text: string): void {
    this.#add(text, 'said')
  }

  wrong(text: string): void {
    this.#add(text, 'wrong')
  }

  problem(problem: Problem | null): void {
    this.#add(problemText(problem), 'wrong')
  }

  drop(id: number): void {
    this.all = this.all.filter((notice) => notice.id !== id)
  }

  #add(text: string, kind: Notice['kind']): void {
    const id = this.#next++
    // The same again is one notice. Of too many, the oldest go; what went wrong stays until somebody has closed it.
    const others = this.all.filter((notice) => notice.text !== text)
    while (others.length >= SHOWN_MAX) others.splice(Math.max(0, others.findIndex((each) => each.kind === 'said')), 1)
    this.all = [...others, { id, text, kind }]
    if (kind === 'said') setTimeout(() => this.drop(id), SHOWN_MS)
  }
}

/** A refusal in words: from the catalogue, or else its own rule's name. A crew is named to whom it concerns. */
export function refusalText(refusal: Refusal): string {
  const unnamed = refusal.rule === 'engine.consigned' && !refusal.detail['crew']
  const { state, at, ...detail } = refusal.detail
  return t(`refusal.${refusal.rule}${unnamed ? '.unnamed' : ''}`, {
    ...detail,
    ...(state === undefined ? {} : { state: stateWord(String(state)) }),
    ...(at === undefined ? {} : { at: day(String(at)) }),
  })
}

/** What the post answered, in words a person can act on: its `title` and `detail` are for programs, in English. */
export function problemText(problem: Problem | null): string {
  const rule = problem?.body.rule
  if (rule && has(`refusal.${rule}`)) return refusalText({ rule, detail: problem.body.values ?? {} })
  return t(`console.problem.${(problem && OF_STATUS[problem.status]) ?? 'unknown'}`)
}

const OF_STATUS: Record<number, string> = {
  0: 'unreachable',
  400: 'form',
  403: 'forbidden',
  404: 'missing',
  409: 'changed',
  413: 'form',
  422: 'form',
  429: 'many',
  500: 'fault',
  503: 'busy',
  507: 'full',
}

export const notices = new Notices()
