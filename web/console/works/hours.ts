// Weekly hours as a form shows them: the days, and from when to when on each of them. A text that says more than that is left
// as it is.

export const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const

export interface Weekly {
  /** By weekday, 0 for Monday. */
  days: boolean[]
  start: number
  end: number
}

const PART = /^([a-z]{3})(?:-([a-z]{3}))? (\d\d):(\d\d)-(\d\d):(\d\d)$/

/** What a text says, or null where a form cannot show it. */
export function readWeekly(text: string): Weekly | null {
  const days = DAYS.map(() => false)
  let span: [number, number] | null = null
  for (const part of text.split(';')) {
    const said = PART.exec(part.trim())
    if (!said) return null
    const [first, last] = [DAYS.indexOf(said[1] as never), DAYS.indexOf((said[2] ?? said[1]) as never)]
    const [start, end] = [Number(said[3]) * 60 + Number(said[4]), Number(said[5]) * 60 + Number(said[6])]
    if (first < 0 || last < 0 || (span && (span[0] !== start || span[1] !== end))) return null
    span = [start, end]
    for (let n = 0; n <= (last - first + 7) % 7; n++) days[(first + n) % 7] = true
  }
  return span && { days, start: span[0], end: span[1] }
}

export function writeWeekly({ days, start, end }: Weekly): string {
  const clock = (minute: number): string => `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`
  const parts: string[] = []
  for (let n = 0; n < 7; n++) {
    if (!days[n]) continue
    let last = n
    while (last < 6 && days[last + 1]) last += 1
    parts.push(`${DAYS[n]}${last > n ? `-${DAYS[last]}` : ''} ${clock(start)}-${clock(end)}`)
    n = last
  }
  return parts.join('; ')
}
