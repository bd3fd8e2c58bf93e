// Package torture holds no program, only tests that hurt the real one: they build
// the server, run it as processes, and kill, stop, starve and cut it off under load.
//
// Each test has a short form for every run of the tests and a full form for `make
// torture`; docs/reliability.md tells what they promise and what was measured. What
// an answer says is never believed: a page is taken apart, its pictures are read as
// pictures, and every code is verified with the published keys.
package torture
