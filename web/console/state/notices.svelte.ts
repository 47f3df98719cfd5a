// Short notices at the edge of the map: what went wrong with something a person just did, or that it is done.
import type { Problem } from '@lib/api'
import { has, t } from '@lib/i18n.svelte'
import type { Refusal } from '@lib/types'

export interface Notice {
  id: number
  text: string
  kind: 'said' | 'wrong'
}

const SHOWN_MS = 8_000

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
    this.all = [...this.all.slice(-3), { id, text, kind }]
    setTimeout(() => this.drop(id), SHOWN_MS)
  }
}

/** A refusal in words: from the catalogue, or else its own rule's name. A crew is named to whom it concerns. */
export function refusalText(refusal: Refusal): string {
  const unnamed = refusal.rule === 'engine.consigned' && !refusal.detail.crew
  return t(`refusal.${refusal.rule}${unnamed ? '.unnamed' : ''}`, refusal.detail)
}

/** What the post answered, in words a person can act on. */
export function problemText(problem: Problem | null): string {
  if (!problem) return t('console.problem.unknown')
  const { body, status } = problem
  if (status === 0) return t('console.problem.unreachable')
  const detail = body.detail
  if (body.rule && has(`refusal.${body.rule}`)) {
    return refusalText({ rule: body.rule, detail: body.values ?? {} })
  }
  const name = body.type?.slice(body.type.lastIndexOf('/') + 1)
  if (name && has(`problem.${name}`)) return t(`problem.${name}`)
  if (status === 403) return t('console.problem.forbidden')
  if (status === 404) return t('console.problem.missing')
  if (status === 409) return typeof detail === 'string' && detail ? detail : t('console.problem.changed')
  if (status === 429) return t('console.problem.many')
  if (typeof detail === 'string' && detail) return detail
  return body.title ?? t('console.problem.unknown')
}

export const notices = new Notices()
