// Package planted shows that the checks of "make test" and of .ci/run find what
// they are for: each of its tests plants one fault in a module of its own and
// demands that the check refuses it, and that it passes the same module without.
package planted
