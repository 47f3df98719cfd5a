// The one way to the HTTP API: session cookie, the token against forged requests, problems as errors.

export interface ProblemBody {
  type?: string
  title?: string
  status?: number
  detail?: string
  mend?: string
  errors?: unknown
  rule?: string
  values?: Record<string, string | number>
}

/** What the post answered instead of what was asked for. `status` 0: it could not be reached. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly body: ProblemBody,
    readonly retryAfterS: number | null = null,
  ) {
    super(body.title ?? `HTTP ${status}`)
  }
}

export type Query = Record<string, string | number | boolean | null | undefined>

/** `/api/v1/` + path, with what of the query is set. */
export function address(path: string, query: Query = {}): string {
  const params = new URLSearchParams()
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== '') params.set(key, String(value))
  }
  const text = params.toString()
  return `/api/v1/${path}${text ? `?${text}` : ''}`
}

type Listener = () => void

class Api {
  csrf = ''
  #expired: Listener = () => undefined

  /** Calls when an answer says that the session has ended. */
  onExpired(listener: Listener): void {
    this.#expired = listener
  }

  get<T>(path: string, query?: Query, signal?: AbortSignal): Promise<T> {
    return this.#ask<T>('GET', address(path, query), undefined, signal ? { signal } : {})
  }

  post<T>(path: string, body?: unknown, headers: Record<string, string> = {}, signal?: AbortSignal): Promise<T> {
    return this.#ask<T>('POST', address(path), body, { headers, ...(signal ? { signal } : {}) })
  }

  /** A file, as it is. */
  send<T>(path: string, file: Blob, headers: Record<string, string> = {}, signal?: AbortSignal): Promise<T> {
    return this.#ask<T>('POST', address(path), file, { headers, ...(signal ? { signal } : {}) })
  }

  put<T>(path: string, body: unknown): Promise<T> {
    return this.#ask<T>('PUT', address(path), body)
  }

  patch<T>(path: string, body: unknown, headers: Record<string, string> = {}): Promise<T> {
    return this.#ask<T>('PATCH', address(path), body, { headers })
  }

  delete<T>(path: string): Promise<T> {
    return this.#ask<T>('DELETE', address(path))
  }

  /** A file as the post makes it, with the name that it gives it. */
  async file(path: string, query?: Query): Promise<{ name: string; content: Blob }> {
    const answer = await this.#answer('GET', address(path, query))
    const name = /filename="([^"]+)"/.exec(answer.headers.get('Content-Disposition') ?? '')?.[1] ?? 'vigie'
    return { name, content: await answer.blob() }
  }

  async #ask<T>(method: string, url: string, body?: unknown, init: RequestInit = {}): Promise<T> {
    const answer = await this.#answer(method, url, body, init)
    return (answer.status === 204 ? undefined : await answer.json()) as T
  }

  async #answer(method: string, url: string, body?: unknown, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers)
    headers.set('Accept', 'application/json')
    if (body !== undefined) headers.set('Content-Type', body instanceof Blob ? body.type : 'application/json')
    if (method !== 'GET' && this.csrf) headers.set('X-CSRF-Token', this.csrf)
    let answer: Response
    try {
      answer = await fetch(url, {
        ...init,
        method,
        headers,
        credentials: 'same-origin',
        ...(body === undefined ? {} : { body: body instanceof Blob ? body : JSON.stringify(body) }),
      })
    } catch (error) {
      if (error instanceof DOMException && error.name === 'AbortError') throw error
      throw new Problem(0, { title: 'unreachable' })
    }
    if (answer.ok) return answer
    const problem = await problemOf(answer)
    if (answer.status === 401 && !url.endsWith('/session')) this.#expired()
    throw problem
  }
}

async function problemOf(answer: Response): Promise<Problem> {
  let body: ProblemBody = {}
  try {
    body = (await answer.json()) as ProblemBody
  } catch {
    // an answer that is no JSON says no more than its status
  }
  const after = Number(answer.headers.get('Retry-After'))
  return new Problem(answer.status, body, Number.isFinite(after) && after > 0 ? after : null)
}

export const api = new Api()
