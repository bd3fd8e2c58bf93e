package cli

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"time"

	"filippo.io/age"
	"github.com/spf13/cobra"

	"akashi/certificate/pdf"
	"akashi/internal/office"
	"akashi/internal/seal"
	"akashi/internal/watch"
	"akashi/signing"
)

func configCommand(parts Adapters) *cobra.Command {
	group := &cobra.Command{Use: "config", Short: "Look at the settings", Args: noArgs, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	group.AddCommand(&cobra.Command{
		Use: "check", Short: "Show every setting and say what 'akashi serve' would refuse; nothing is changed and no database is opened", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := LoadConfig(parts.Environ)
			if err != nil {
				return usageError{err}
			}
			c.show(cmd.OutOrStdout())
			if err := c.check(time.Now()); err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), "nothing to refuse")
			return err
		},
	})
	return group
}

// show prints every setting; secrets as "[redacted]".
func (c *Config) show(out io.Writer) {
	v := reflect.ValueOf(*c)
	for i := range v.NumField() {
		_, _ = fmt.Fprintf(out, "%s%-20s %v\n", prefix, v.Type().Field(i).Tag.Get("env"), v.Field(i).Interface())
	}
}

// check returns everything that a start would refuse, as far as files tell.
func (c *Config) check(now time.Time) error { return errors.Join(c.checkData(), c.checkSettings(now)) }

// checkSettings is asked before a start makes anything.
func (c *Config) checkSettings(now time.Time) error {
	return errors.Join(c.checkKeys(), c.checkTLS(now), c.checkFonts(), c.checkCopy(), c.checkReceivers())
}

// checkReceivers looks at who is written to, and at where staff come from.
func (c *Config) checkReceivers() error {
	var errs []error
	refuse := func(name string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("%s%s: %w", prefix, name, err))
		}
	}
	if c.AlertURL != "" {
		_, err := watch.NewReceiver(string(c.AlertURL))
		refuse("ALERT_URL", err)
	}
	if c.Recipient != "" {
		_, err := age.ParseX25519Recipient(c.Recipient)
		refuse("BACKUP_RECIPIENT", err)
	}
	_, err := office.NewRelyingParty(c.StaffOrigin)
	refuse("STAFF_ORIGIN", err)
	return errors.Join(errs...)
}

// checkData looks at the directory and the file key; both may not be there yet.
func (c *Config) checkData() error {
	info, err := os.Stat(c.Data)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !info.IsDir() || info.Mode().Perm()&0o077 != 0:
		return fmt.Errorf("%sDATA: %s must be a directory that its owner alone can read (chmod 700)", prefix, c.Data)
	}
	_, err = seal.OpenFile(filepath.Join(c.Data, "seal.key"), false)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// checkKeys refuses TEST keys in production, and a build that has no tokens.
func (c *Config) checkKeys() error {
	if !c.Production {
		return nil
	}
	if _, err := os.Stat(filepath.Join(c.Data, keyFolder, signing.TestKeysFile)); err == nil {
		return fmt.Errorf("%sDATA holds the keys of a TEST installation; production needs a directory of its own", prefix)
	}
	if c.PKCS11Module == "" {
		return nil // the public face alone
	}
	_, err := signing.NewToken(c.token(), nil, nil)
	return err
}

func (c *Config) checkTLS(now time.Time) error {
	if c.TLSCertificate == "" {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(c.TLSCertificate, c.TLSKey)
	if err != nil {
		return fmt.Errorf("%sTLS_CERTIFICATE: %w", prefix, err)
	}
	if now.After(pair.Leaf.NotAfter) || now.Before(pair.Leaf.NotBefore) {
		return fmt.Errorf("%sTLS_CERTIFICATE is valid from %s to %s only", prefix, pair.Leaf.NotBefore.Format(time.DateOnly), pair.Leaf.NotAfter.Format(time.DateOnly))
	}
	if c.ClientCA != "" {
		if _, err := os.ReadFile(c.ClientCA); err != nil {
			return fmt.Errorf("%sSTAFF_CLIENT_CA: %w", prefix, err)
		}
	}
	return nil
}

// checkFonts reads further fonts; those inside the program are read once, when it assembles.
func (c *Config) checkFonts() error {
	if len(c.Fonts) == 0 {
		return nil
	}
	_, err := pdf.New(c.Fonts...)
	return err
}

func (c *Config) checkCopy() error {
	if c.LogCopy == "" {
		return nil
	}
	info, err := os.Stat(c.LogCopy)
	if err == nil && !info.IsDir() {
		err = errors.New("not a directory")
	}
	if err != nil {
		return fmt.Errorf("%sLOG_COPY: %w", prefix, err)
	}
	return nil
}
