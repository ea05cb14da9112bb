// Drives megajs: `node megajs.mjs VERB [ARGUMENT…]`, with GATEWAY, EMAIL and PASSWORD in the environment and the
// folder in which megajs is installed in PEERS. Prints one JSON value; `listen` prints one for each change, with the time in milliseconds.
// With SESSION, the verb `login` leaves its session in that file, and others go on with it: logins take seconds in JavaScript.
import { createReadStream, createWriteStream, existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, join } from 'node:path'
import { pipeline } from 'node:stream/promises'

const require = createRequire(join(process.env.PEERS, 'package.json'))
const { API, File, Storage } = require('megajs')

const { GATEWAY: gateway, EMAIL: email, PASSWORD: password, SESSION: session } = process.env
const [verb, ...args] = process.argv.slice(2)

const begin = (keepalive = false) => new Storage({ gateway, email, password, keepalive }).ready

const login = async () => {
  if (!session || !existsSync(session)) return begin()
  const storage = Storage.fromJSON(JSON.parse(readFileSync(session)))
  await storage.reload(true)
  return storage
}

const at = (storage, path) => {
  let node = storage.root
  for (const name of path.split('/').filter(Boolean)) {
    const found = (node.children ?? []).filter(child => child.name === name)
    if (found.length !== 1) throw Error(`${path}: ${found.length} nodes`)
    node = found[0]
  }
  return node
}

// Sizes by path, null for folders.
const below = (folder, prefix = '', sizes = {}) => {
  for (const child of folder.children ?? []) {
    sizes[prefix + child.name] = child.directory ? null : child.size
    if (child.directory) below(child, `${prefix}${child.name}/`, sizes)
  }
  return sizes
}

const split = path => {
  const names = path.split('/')
  const name = names.pop()
  return [names.join('/'), name]
}

const put = async (folder, path) => {
  const size = statSync(path).size
  const upload = folder.upload({ name: basename(path), size }, size === 0 ? Buffer.alloc(0) : undefined)
  if (size > 0) createReadStream(path).pipe(upload)
  await upload.complete
}

const get = (file, path) => pipeline(file.download({}), createWriteStream(path))

// Of each name what became of it: one file that fails must not hide the others.
const each = async (entries, nameOf, work) => {
  const outcomes = {}
  for (const entry of entries) {
    try {
      await work(entry)
      outcomes[nameOf(entry)] = 'ok'
    } catch (error) {
      outcomes[nameOf(entry)] = String(error.message)
    }
  }
  return outcomes
}

// What lies in a shared folder asks the API of those who name none.
API.getGlobalApi().gateway = gateway
const shared = url => File.fromURL(url)

const verbs = {
  async login () {
    const storage = await begin()
    if (storage.email !== email) throw Error(`logged in as ${storage.email}`)
    if (session) writeFileSync(session, JSON.stringify(storage.toJSON()), { mode: 0o600 })
    return true
  },
  async list (path) { return (at(await login(), path).children ?? []).map(child => child.name) },
  async tree (path) { return below(at(await login(), path)) },
  async mkdir (path) {
    const [parent, name] = split(path)
    await at(await login(), parent).mkdir(name)
    return true
  },
  async putdir (local, remote) {
    const folder = at(await login(), remote)
    return each(readdirSync(local), name => name, name => put(folder, join(local, name)))
  },
  async getdir (remote, local) {
    mkdirSync(local, { recursive: true })
    const files = at(await login(), remote).children ?? []
    return each(files, file => file.name, file => get(file, join(local, file.name)))
  },
  async read (path) { return String(await at(await login(), path).downloadBuffer({})) },
  async range (path, start, end) {
    return String(await at(await login(), path).downloadBuffer({ start: Number(start), end: Number(end) }))
  },
  async rename (path, name) { await at(await login(), path).rename(name); return true },
  async move (path, folder) {
    const storage = await login()
    await at(storage, path).moveTo(at(storage, folder))
    return true
  },
  async trash (path) { await at(await login(), path).delete(); return true },
  async delete (path) { await at(await login(), path).delete(true); return true },
  async link (path) { return at(await login(), path).link({ noKey: false }) },
  async unlink (path) { await at(await login(), path).unshare(); return true },
  async folderlink (path) { return at(await login(), path).shareFolder({}) },
  async fetchlink (url, local) {
    const file = shared(url)
    await file.loadAttributes()
    await get(file, local)
    return file.name
  },
  async fetchfolder (url, local) {
    const folder = shared(url)
    await folder.loadAttributes()
    mkdirSync(local, { recursive: true })
    const files = (folder.children ?? []).filter(child => !child.directory)
    return each(files, file => file.name, file => get(file, join(local, file.name)))
  },
  async listlink (url) {
    const folder = shared(url)
    await folder.loadAttributes()
    return folder.children.map(child => child.name)
  },
  async linktree (url) {
    const folder = shared(url)
    await folder.loadAttributes()
    return below(folder)
  },
  async importlink (url, folder) {
    const file = shared(url)
    await file.loadAttributes()
    await at(await login(), folder).importFile(file)
    return true
  },
  async givethumbnail (path, local) {
    await at(await login(), path).uploadAttribute('thumbnail', readFileSync(local))
    return true
  },
  async quota () { return (await login()).getAccountInfo() },
  async listen () {
    const storage = await begin(true)
    const tell = (what, file) => console.log(JSON.stringify([what, file.name, Date.now()]))
    for (const what of ['add', 'update', 'move', 'delete']) storage.on(what, file => tell(what, file))
    console.log(JSON.stringify('listening'))
    return new Promise(() => {})
  }
}

// Some failures of uploads reject a promise that nobody has.
process.on('unhandledRejection', error => {
  console.error(String(error.stack ?? error))
  process.exit(1)
})

try {
  const answer = JSON.stringify(await verbs[verb](...args))
  // A pipe takes long texts in pieces, and an exit would cut them off.
  process.stdout.write(answer + '\n', () => process.exit(0))
} catch (error) {
  console.error(String(error.stack ?? error))
  process.exit(1)
}
