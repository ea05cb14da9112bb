// Starts npm `mega-mock` on a random loopback port with one account, and prints the port.
// `node mega_mock.cjs DATA_FOLDER`, with the account's record as JSON in ACCOUNT.
const fs = require('node:fs')
const { join } = require('node:path')
const { Writable } = require('node:stream')

// It answers an upload when the request has ended, not when the bytes are in the file: a small file then
// sometimes has the size 0. So here they are in the file at once.
fs.createWriteStream = (path, { flags, start = 0 }) => {
  const file = fs.openSync(path, flags)
  let at = start
  return new Writable({
    write (bytes, _encoding, done) {
      at += fs.writeSync(file, bytes, 0, bytes.length, at)
      done()
    },
    final (done) { fs.close(file, done) }
  })
}

const createServer = require(join(process.env.PEERS, 'node_modules', 'mega-mock'))

const { uh, login } = JSON.parse(process.env.ACCOUNT)
const server = createServer({
  dataFolder: process.argv[2],
  // It finds an account by the proof of the password. A session that is resumed brings none.
  state: { loginData: new Map([[uh, login], [undefined, login]]) }
})
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
