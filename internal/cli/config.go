package cli

import (
	"bufio"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"

	"akashi/signing"
)

// Secret is a setting that prints as "[redacted]"; convert it to use it.
type Secret string

func (Secret) String() string               { return "[redacted]" }
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(s.String())) }
func (s Secret) LogValue() slog.Value       { return slog.StringValue(s.String()) }
func (s Secret) MarshalText() ([]byte, error) {
	return []byte(s.String()), nil
}

// Config is every setting. Each has a variable AKASHI_…; those that stand in the
// file named by AKASHI_CONFIG (KEY=VALUE lines) count where the environment is silent.
type Config struct {
	Data        string `env:"DATA" envDefault:"./data"` // directory, mode 0700
	DatabaseURL Secret `env:"DATABASE_URL"`             // empty: SQLite in Data
	MigrateURL  Secret `env:"MIGRATE_URL"`              // schema owner; empty: DatabaseURL
	// The database for what has a role of its own (migrations/roles.sql); empty: DatabaseURL.
	DatabaseURLPublic Secret `env:"DATABASE_URL_PUBLIC"`
	DatabaseURLSigner Secret `env:"DATABASE_URL_SIGNER"`
	DatabaseURLJobs   Secret `env:"DATABASE_URL_JOBS"`

	Faces          []string       `env:"FACES" envDefault:"staff,public,ops,jobs"` // what this process serves
	Nodes          int            `env:"NODES"`                                    // how many processes with staff or jobs share the database; 0: not declared, not for production
	StaffAddr      string         `env:"STAFF_ADDR" envDefault:"127.0.0.1:8080"`
	StaffOrigin    string         `env:"STAFF_ORIGIN"` // where staff reach the service; http://localhost:PORT where empty, https with a certificate
	PublicAddr     string         `env:"PUBLIC_ADDR" envDefault:"127.0.0.1:8081"`
	OpsAddr        string         `env:"OPS_ADDR" envDefault:"127.0.0.1:8090"`
	TLSCertificate string         `env:"TLS_CERTIFICATE"`                       // of every face: PEM file with the chain
	TLSKey         string         `env:"TLS_KEY"`                               // PEM file
	ClientCA       string         `env:"STAFF_CLIENT_CA"`                       // PEM file: authorities of client certificates on the staff face
	Terminals      string         `env:"STAFF_TERMINALS" envDefault:"required"` // or optional; counts where there is a STAFF_CLIENT_CA
	TrustedProxies []netip.Prefix `env:"TRUSTED_PROXIES"`                       // networks whose X-Forwarded-For is believed

	PKCS11Module   string `env:"PKCS11_MODULE"`                    // library of the token with the signing keys; for production, and only there
	PKCS11Token    string `env:"PKCS11_TOKEN" envDefault:"akashi"` // its label
	PKCS11PIN      Secret `env:"PKCS11_PIN"`
	PKCS11Sessions int    `env:"PKCS11_SESSIONS" envDefault:"8"`  // signatures at once
	PKCS11Waiting  int    `env:"PKCS11_WAITING" envDefault:"200"` // signatures that wait; the next one is answered 503

	Production  bool          `env:"PRODUCTION"`
	SHCIssuer   string        `env:"SHC_ISSUER"`   // iss; TEST identity where empty
	SHCName     string        `env:"SHC_NAME"`     // of the issuer, for directories; its host where empty
	VDSNCIssuer string        `env:"VDSNC_ISSUER"` // Doc 9303 code; UTO where empty
	RecoverAge  time.Duration `env:"RECOVER_AGE" envDefault:"60s"`
	DrainTime   time.Duration `env:"DRAIN_TIME" envDefault:"20s"` // graceful shutdown
	Fonts       []string      `env:"FONTS"`                       // further TrueType files for register characters, such as IPAmj Mincho
	Recipient   string        `env:"BACKUP_RECIPIENT"`            // age key that backups are encrypted to
	LogCopy     string        `env:"LOG_COPY"`                    // directory of a second place, run by others, for the log's checkpoints
	RosterDir   string        `env:"ROSTER_DIR"`                  // where the staff system puts OFFICE.csv; empty: nowhere
	AlertURL    Secret        `env:"ALERT_URL"`                   // https address that alerts are posted to; empty: they are listed only
	LogLevel    slog.Level    `env:"LOG_LEVEL" envDefault:"INFO"`
	TracesURL   string        `env:"TRACES_URL"` // OpenTelemetry collector (OTLP over HTTP); empty: no traces
	Config      string        `env:"CONFIG"`
}

const prefix = "AKASHI_"

// LoadConfig reads the settings and refuses unknown ones.
func LoadConfig(environ []string) (Config, error) {
	values := map[string]string{}
	for _, line := range environ {
		if k, v, ok := strings.Cut(line, "="); ok && strings.HasPrefix(k, prefix) {
			values[k] = v
		}
	}
	if file := values[prefix+"CONFIG"]; file != "" {
		if err := readSettings(file, values); err != nil {
			return Config{}, err
		}
	}
	known := settings()
	for k := range values {
		if !slices.Contains(known, k) {
			return Config{}, fmt.Errorf("unknown setting %s; known are %s", k, strings.Join(known, ", "))
		}
	}
	var c Config
	if err := env.ParseWithOptions(&c, env.Options{Prefix: prefix, Environment: values}); err != nil {
		return c, err
	}
	return c, c.complete()
}

func settings() []string {
	var list []string
	t := reflect.TypeFor[Config]()
	for i := range t.NumField() {
		list = append(list, prefix+t.Field(i).Tag.Get("env"))
	}
	return list
}

// readSettings adds what the environment does not say.
func readSettings(path string, values map[string]string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		k, v, ok := strings.Cut(line, "=")
		if !ok {
			return fmt.Errorf("%s line %d: not KEY=VALUE", filepath.Base(path), n)
		}
		if k = strings.TrimSpace(k); values[k] == "" {
			values[k] = strings.TrimSpace(v)
		}
	}
	return lines.Err()
}

// Addresses are those of the listeners of this process, by face.
func (c *Config) Addresses() map[string]string {
	all := map[string]string{"staff": c.StaffAddr, "public": c.PublicAddr, "ops": c.OpsAddr}
	maps.DeleteFunc(all, func(face, address string) bool { return address == "" || !slices.Contains(c.Faces, face) })
	return all
}

// databaseFile is the embedded database, in Data.
const databaseFile = "akashi.db"

// database is where the rows are: the URL, or the embedded file.
func (c *Config) database() string {
	if c.DatabaseURL == "" {
		return filepath.Join(c.Data, databaseFile)
	}
	return string(c.DatabaseURL)
}

func (c *Config) complete() error {
	if err := errors.Join(checkFaces(c.Faces), c.checkTransport(), c.origin()); err != nil {
		return err
	}
	if c.Production {
		if c.SHCIssuer == "" || c.VDSNCIssuer == "" || c.DatabaseURL == "" {
			return errors.New("production needs AKASHI_SHC_ISSUER, AKASHI_VDSNC_ISSUER and AKASHI_DATABASE_URL")
		}
		return c.checkToken()
	}
	if c.PKCS11Module != "" {
		return errors.New("AKASHI_PKCS11_MODULE needs AKASHI_PRODUCTION=true: the TEST identity keeps its keys in files")
	}
	if c.SHCIssuer != "" && c.SHCIssuer != signing.TestIssuer || c.VDSNCIssuer != "" && c.VDSNCIssuer != signing.TestState {
		return errors.New("another issuer than the TEST identity needs AKASHI_PRODUCTION=true and its own keys")
	}
	c.SHCIssuer, c.VDSNCIssuer = signing.TestIssuer, signing.TestState
	return nil
}

// checkToken wants a token where certificates are signed (S-063). Only the public
// face does without.
func (c *Config) checkToken() error {
	switch {
	case !slices.Contains(c.Faces, "staff") && !slices.Contains(c.Faces, "jobs"):
		return nil
	case c.PKCS11Module == "" || c.PKCS11Token == "" || c.PKCS11PIN == "":
		return errors.New("production signs with keys in a token: it needs AKASHI_PKCS11_MODULE, AKASHI_PKCS11_TOKEN and AKASHI_PKCS11_PIN")
	case c.PKCS11Sessions < 1 || c.PKCS11Waiting < 0:
		return errors.New("AKASHI_PKCS11_SESSIONS is at least 1 and AKASHI_PKCS11_WAITING at least 0")
	}
	return nil
}

// origin is what passkeys are bound to. Browsers trust localhost without
// TLS, but no address.
func (c *Config) origin() error {
	if c.StaffOrigin != "" {
		return nil
	}
	_, port, err := net.SplitHostPort(c.StaffAddr)
	if err != nil {
		return fmt.Errorf("AKASHI_STAFF_ADDR: %w", err)
	}
	scheme := "http"
	if c.TLSCertificate != "" {
		scheme = "https"
	}
	c.StaffOrigin = scheme + "://localhost:" + port
	return nil
}
