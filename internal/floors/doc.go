// Package floors holds no program, only the test that keeps the house's floors:
// which package may import which, and where a third-party library may be used.
// docs/design.md, section 1, gives the table; floors_test.go is its executable form.
package floors
