// Stretches of streets, asked for at the post: the one that somebody points at, and those that are named.
import { api } from '@lib/api'
import type { Street } from '@lib/works'

/** So many are asked for at a time: the first of a long circuit are named while the others are on their way. */
const AT_ONCE = 40
/** The ids of one question are no longer together, as they stand in its address: the post takes 10,000 characters. */
const ASKED_MAX = 8_000

export async function streetAt(lon: number, lat: number): Promise<Street | undefined> {
  const { items } = await api.get<{ items: Street[] }>('roads/streets', { lon: lon.toFixed(6), lat: lat.toFixed(6), limit: 1 })
  return items[0]
}

/** Those of some ids that may be seen here; told is called for each lot of them. */
export async function streetsNamed(ids: readonly string[], told: (found: Street[]) => void): Promise<void> {
  for (const lot of lots(ids)) {
    const { items } = await api.get<{ items: Street[] }>('roads/streets', { street: lot.join(','), limit: AT_ONCE })
    told(items)
  }
}

function lots(ids: readonly string[]): string[][] {
  const found: string[][] = []
  let length = 0
  for (const id of ids) {
    const own = encodeURIComponent(`${id},`).length
    const lot = found.at(-1)
    length += own
    if (lot && lot.length < AT_ONCE && length <= ASKED_MAX) lot.push(id)
    else {
      found.push([id])
      length = own
    }
  }
  return found
}
