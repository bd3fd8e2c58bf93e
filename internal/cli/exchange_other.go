//go:build !linux

package cli

import "errors"

// exchangeNames is not to be had here.
func exchangeNames(_, _ string) error { return errors.ErrUnsupported }
