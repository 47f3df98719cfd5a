// What the telephone keeps: the day as it was last read, what was done and waits, photos, and what is still to be read.
// IndexedDB, without anything between: what is written here is on the telephone before the screen says so.
import type { Crew, Day, Person, Told, Waiting } from './types'

const NAME = 'vigie-field'
const STORES = ['kept', 'queue', 'pictures', 'told'] as const

export interface Everything {
  person: Person | null
  crew: Crew | null
  day: Day | null
  synced: number | null
  queue: Waiting[]
  told: Told[]
}

let opened: Promise<IDBDatabase> | null = null

function open(): Promise<IDBDatabase> {
  opened ??= new Promise<IDBDatabase>((resolve, reject) => {
    const asked = indexedDB.open(NAME, 1)
    asked.onupgradeneeded = () => {
      const db = asked.result
      db.createObjectStore('kept')
      db.createObjectStore('queue', { keyPath: 'n', autoIncrement: true })
      db.createObjectStore('pictures')
      db.createObjectStore('told', { keyPath: 'id' })
    }
    asked.onerror = () => reject(asked.error ?? new Error('no storage'))
    asked.onsuccess = () => {
      const db = asked.result
      // Another tab of a later version, or the browser itself, wants it: the next question opens it anew.
      const forget = (): void => void (opened = null)
      db.onversionchange = () => {
        db.close()
        forget()
      }
      db.onclose = forget
      resolve(db)
    }
  }).catch((error: unknown) => {
    opened = null
    throw error
  })
  return opened
}

/** Does something in one transaction; done once all of it is kept. Throws DOMException QuotaExceededError where there
    is no room, and then nothing of it is kept. */
async function within<T>(mode: IDBTransactionMode, work: (tx: IDBTransaction) => () => T): Promise<T> {
  const db = await open()
  return new Promise<T>((resolve, reject) => {
    const tx = db.transaction(STORES, mode, { durability: mode === 'readwrite' ? 'strict' : 'default' })
    let result: (() => T) | null = null
    tx.oncomplete = () => resolve((result as () => T)())
    tx.onabort = () => reject(tx.error ?? new Error('not kept'))
    result = work(tx)
  })
}

const write = (work: (tx: IDBTransaction) => void): Promise<void> =>
  within('readwrite', (tx) => {
    work(tx)
    return () => undefined
  })

/** All that is kept, but the pictures themselves. */
export function readAll(): Promise<Everything> {
  return within('readonly', (tx) => {
    const kept = tx.objectStore('kept')
    const asked = ['person', 'crew', 'day', 'synced'].map((key) => kept.get(key) as IDBRequest<unknown>)
    const queue = tx.objectStore('queue').getAll() as IDBRequest<Waiting[]>
    const told = tx.objectStore('told').getAll() as IDBRequest<Told[]>
    return () => {
      const [person, crew, day, synced] = asked.map((each) => each.result ?? null)
      return { person, crew, day, synced, queue: queue.result, told: told.result } as Everything
    }
  })
}

/** What waits, in the order in which it was done. */
export function readQueue(): Promise<Waiting[]> {
  return within('readonly', (tx) => {
    const queue = tx.objectStore('queue').getAll() as IDBRequest<Waiting[]>
    return () => queue.result
  })
}

/** With whom somebody works. The day of the crew before stays, until that of this one was read. */
export function keepCrew(crew: Crew): Promise<void> {
  return write((tx) => tx.objectStore('kept').put(crew, 'crew'))
}

/** Keeps a day that was asked for a person; whether they are still here, and with its crew. */
export function keepDay(person: Person, day: Day, synced: number): Promise<boolean> {
  return within('readwrite', (tx) => {
    const kept = tx.objectStore('kept')
    let isTheirs = false
    ofPerson(tx, person, () => {
      const crew = kept.get('crew') as IDBRequest<Crew | null | undefined>
      crew.onsuccess = () => {
        isTheirs = crew.result?.id === day.crew.id
        if (!isTheirs) return
        kept.put(day, 'day')
        kept.put(synced, 'synced')
      }
    })
    return () => isTheirs
  })
}

/** Does something if this person is still here. */
function ofPerson(tx: IDBTransaction, person: Person, work: () => void): void {
  const asked = tx.objectStore('kept').get('person') as IDBRequest<Person | undefined>
  asked.onsuccess = () => {
    if (asked.result?.id === person.id && asked.result.epoch === person.epoch) work()
  }
}

/** Whether this person is still here. */
export function isHere(person: Person): Promise<boolean> {
  return within('readonly', (tx) => {
    let is = false
    ofPerson(tx, person, () => (is = true))
    return () => is
  })
}

/** Somebody comes to this telephone. Where somebody else's work waits here nothing is kept: whose, and how much. What
    the post refused stays for whom it concerns. */
export function enter(person: Person): Promise<{ who: string; count: number } | null> {
  return within('readwrite', (tx) => {
    const [kept, queue] = [tx.objectStore('kept'), tx.objectStore('queue')]
    let waits: { who: string; count: number } | null = null
    const before = kept.get('person') as IDBRequest<Person | undefined>
    before.onsuccess = () => {
      const other = before.result
      if (!other || other.id === person.id) {
        kept.put(other ? { ...person, epoch: other.epoch } : person, 'person')
        return
      }
      const asked = queue.getAll() as IDBRequest<Waiting[]>
      asked.onsuccess = () => {
        const count = asked.result.filter((each) => each.user === other.id).length
        if (count > 0) waits = { who: other.name, count }
        else {
          for (const key of ['crew', 'day', 'synced']) kept.delete(key)
          kept.put(person, 'person')
        }
      }
    }
    return () => waits
  })
}

/** Keeps something that was done, and its picture. Its place in the order is given here. */
export function add(deed: Omit<Waiting, 'n'>, picture: Blob | null): Promise<Waiting> {
  return within('readwrite', (tx) => {
    if (picture) tx.objectStore('pictures').put(picture, deed.id)
    const asked = tx.objectStore('queue').add(deed)
    return () => ({ ...deed, n: Number(asked.result) })
  })
}

/** Marks what leaves now: it cannot be taken back any more. What was taken back meanwhile is not among it. */
export function leaving(batch: readonly Waiting[]): Promise<Waiting[]> {
  return within('readwrite', (tx) => {
    const queue = tx.objectStore('queue')
    const left: Waiting[] = []
    for (const each of batch) {
      const asked = queue.get(each.n) as IDBRequest<Waiting | undefined>
      asked.onsuccess = () => {
        if (!asked.result) return
        left.push({ ...asked.result, tried: true })
        if (!asked.result.tried) queue.put({ ...asked.result, tried: true })
      }
    }
    return () => left
  })
}

/** Takes something back that has never left; whether it has been. */
export function takeBack(n: number): Promise<boolean> {
  return within('readwrite', (tx) => {
    const queue = tx.objectStore('queue')
    const asked = queue.get(n) as IDBRequest<Waiting | undefined>
    let taken = false
    asked.onsuccess = () => {
      if (!asked.result || asked.result.tried) return
      taken = true
      queue.delete(n)
      tx.objectStore('pictures').delete(asked.result.id)
    }
    return () => taken
  })
}

/** Lets go what the post has answered, with what is to be told of it and the day as it is then: all or nothing, and
    nothing where whose it was is not here any more. Whether they are. */
export function answered(
  person: Person,
  done: readonly Waiting[],
  told: readonly Told[],
  after: (day: Day) => Day,
): Promise<boolean> {
  return within('readwrite', (tx) => {
    const [kept, queue] = [tx.objectStore('kept'), tx.objectStore('queue')]
    const toTell = new Map(told.map((each) => [each.id, each]))
    let is = false
    ofPerson(tx, person, () => {
      is = true
      for (const each of done) {
        const own = toTell.get(each.id)
        const waits = queue.get(each.n) as IDBRequest<Waiting | undefined>
        waits.onsuccess = () => {
          // Another tab has had the same answer: what it told may have been read.
          if (waits.result?.id !== each.id) return
          queue.delete(each.n)
          // A refused photo stays to be saved elsewhere, until its refusal has been read.
          if (own) tx.objectStore('told').put(own)
          else tx.objectStore('pictures').delete(each.id)
        }
      }
      const day = kept.get('day') as IDBRequest<Day | null | undefined>
      day.onsuccess = () => {
        if (day.result) kept.put(after(day.result), 'day')
      }
    })
    return () => is
  })
}

/** Somebody has read what the post did otherwise. */
export function read(id: string): Promise<void> {
  return write((tx) => {
    tx.objectStore('told').delete(id)
    tx.objectStore('pictures').delete(id)
  })
}

export function picture(id: string): Promise<Blob | null> {
  return within('readonly', (tx) => {
    const asked = tx.objectStore('pictures').get(id) as IDBRequest<Blob | undefined>
    return () => asked.result ?? null
  })
}

/** Forgets a person, and all that is theirs. */
export function wipe(person: Person): Promise<void> {
  return write((tx) => {
    tx.objectStore('kept').clear()
    for (const name of ['queue', 'told'] as const) {
      const store = tx.objectStore(name)
      const asked = store.getAll() as IDBRequest<(Waiting | Told)[]>
      asked.onsuccess = () => {
        for (const each of asked.result) {
          if ((each.user ?? person.id) !== person.id) continue
          store.delete('n' in each ? each.n : each.id)
          tx.objectStore('pictures').delete(each.id)
        }
      }
    }
  })
}
