package cli

import "golang.org/x/sys/unix"

// exchangeNames swaps two directories in one step, so that neither name is ever without one.
func exchangeNames(a, b string) error {
	return unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE)
}
