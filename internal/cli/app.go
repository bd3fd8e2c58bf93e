package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"akashi/certificate/catalogue"
	"akashi/certificate/pdf"
	"akashi/internal/actor"
	"akashi/internal/application"
	"akashi/internal/audit"
	"akashi/internal/audit/tree"
	"akashi/internal/clock"
	"akashi/internal/custody"
	"akashi/internal/exchange"
	"akashi/internal/idgen"
	"akashi/internal/issuance"
	"akashi/internal/keys"
	"akashi/internal/office"
	"akashi/internal/publish"
	"akashi/internal/seal"
	"akashi/internal/statistics"
	"akashi/internal/topology"
	"akashi/internal/vaccination"
	"akashi/internal/vault"
	"akashi/internal/watch"
	"akashi/signing"
)

// Store is what the commands need of a database: everything the domain declares.
type Store interface {
	audit.Book
	tree.Store
	application.Store
	issuance.Store
	issuance.BulkStore
	issuance.MailingStore
	exchange.Store
	office.Store
	vaccination.ImportStore
	office.ApprovalStore
	office.LookupStore
	office.AccountRequestStore
	office.RosterStore
	office.StaffStore
	office.TerminalStore
	signing.Intents
	custody.Store
	custody.RetentionStore
	vault.Store
	watch.Store
	watch.ListStore
	watch.UsageStore
	Covers(ctx context.Context, office string, ids []string) (map[string]tree.Cover, error)
	tree.PartStore
	audit.ReviewStore
	statistics.Store
	// AlertCounts returns how many alerts of each kind there were, and how many nobody has taken.
	AlertCounts(ctx context.Context) (raised map[string]int, undelivered int, err error)
	AddOffice(ctx context.Context, o office.Office) error
	SaveOffice(ctx context.Context, o office.Office) error
	RegisterKeys(ctx context.Context, office string, keys []signing.Key) error
	SigningKey(ctx context.Context, id string) (signing.Key, error)
	MoveKey(ctx context.Context, office string, k signing.Key, to signing.State) error
	CertificatesOfKey(ctx context.Context, office, key string) ([]issuance.Issue, error) // without content
	Once(ctx context.Context, office, route, key string) (object string, body []byte, err error)
	// Join shows the process among those that serve the database, until leave is
	// called; it refuses one more than declared (0: not declared).
	Join(ctx context.Context, n topology.Node, declared int) (leave func() error, err error)
	Nodes(ctx context.Context) ([]topology.Node, error)
	CheckRole(ctx context.Context) error // refuses a database role with too much power
	publish.Logged
	publish.ListStore
	IssuanceLogSince(ctx context.Context) (time.Time, error)
	Ping(ctx context.Context) error
	// ServerTime is the time of the database's machine; zero where it is this one.
	ServerTime(ctx context.Context) (time.Time, error)
	Close() error
}

// Database says where the rows are, for each role that the service has; the role
// that migrates and the one that reads intents for the signer may be empty.
type Database struct{ URL, MigrateURL, SignerURL string }

// OpenStore opens a database; cmd/akashi provides it.
type OpenStore func(ctx context.Context, d Database, ring *seal.Ring, c clock.Clock, ids idgen.Gen) (Store, error)

// App is the assembled service, without any face.
type App struct {
	Config          Config
	Store           Store
	Log             *audit.Log
	Accounts        *office.Accounts
	Applications    *application.Service
	Imports         *vaccination.Imports
	Approvals       *office.Approvals
	Offices         *office.Offices
	Budget          *office.Budget
	AccountRequests *office.AccountRequests
	Rosters         *office.Rosters
	Terminals       *office.Terminals
	Issuance        *issuance.Service
	Revocations     *issuance.Many
	Reissues        *issuance.Many
	Mailings        *issuance.Mailings
	Batches         *exchange.Batches
	Published       *publish.Service
	Custody         *custody.Service
	Keys            *keys.Service
	Token           *signing.Token // nil under the TEST identity
	Retention       *custody.Retention
	Vault           *vault.Service
	Notaries        []*tree.Notary // of the logs
	Lists           *publish.Maker // of what has ended
	Watch           *watch.Service
	Reviews         *audit.Reviews
	Statistics      *statistics.Service
	Alerts          *watch.Lists
	Usage           *watch.UsageReports
	Fresh           *tree.Freshness
	Clock           clock.Clock
	IDs             idgen.Gen
}

// Open assembles the service over its data directory: file key, signing keys,
// database. On the first start it makes what is missing; a start that is refused
// has made nothing.
func Open(ctx context.Context, c Config, open OpenStore) (*App, error) {
	return OpenAt(ctx, c, open, nil)
}

// OpenAt is Open with a clock of its own.
func OpenAt(ctx context.Context, c Config, open OpenStore, now clock.Clock) (a *App, err error) {
	if err := c.checkKeys(); err != nil {
		return nil, err
	}
	_, missing := os.Stat(c.Data)
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil && missing != nil {
			_ = os.Remove(c.Data) // where nothing lies in it
		}
	}()
	a = &App{Config: c, Clock: now}
	if err := os.Chmod(c.Data, 0o700); err != nil { // it may have been there
		return nil, err
	}
	ring, err := seal.OpenFile(filepath.Join(c.Data, "seal.key"), true)
	if err != nil {
		return nil, err
	}
	d := Database{c.database(), string(c.MigrateURL), string(c.DatabaseURLSigner)}
	if a.Store, err = open(ctx, d, ring, a.Clock, a.IDs); err != nil {
		return nil, err
	}
	keys, err := a.testKeys(ctx)
	if err == nil {
		err = errors.Join(a.assemble(ring, keys), a.accounts(ring))
	}
	if err != nil {
		return nil, errors.Join(err, a.Store.Close())
	}
	return a, nil
}

func (a *App) accounts(ring *seal.Ring) error {
	party, err := office.NewRelyingParty(a.Config.StaffOrigin)
	a.Accounts = &office.Accounts{
		Log: a.Log, Store: a.Store, Passkeys: party, Clock: a.Clock, IDs: a.IDs,
		Sessions: office.NewSessions(a.Store, a.Clock, a.IDs), Hasher: office.NewHasher(ring.Pepper, a.IDs), Reminder: office.DutyReminder,
	}
	a.AccountRequests = &office.AccountRequests{
		Log: a.Log, Store: a.Store, Staff: a.Store, Keeper: a.Accounts, Approvals: a.Approvals, Clock: a.Clock, IDs: a.IDs,
	}
	a.Rosters = &office.Rosters{Log: a.Log, Store: a.Store, Staff: a.Store, Keeper: a.Accounts, Approvals: a.Approvals, Clock: a.Clock, IDs: a.IDs}
	return err
}

// Close closes the database and the token.
func (a *App) Close() error {
	if a.Token != nil {
		return errors.Join(a.Token.Close(), a.Store.Close())
	}
	return a.Store.Close()
}

const keyFolder = "keys"

func (a *App) keyDir() string { return filepath.Join(a.Config.Data, keyFolder) }

// testKeys returns the keys of the TEST identity, which are made where neither
// the directory nor the database has any. Production has none of them.
func (a *App) testKeys(ctx context.Context) ([]signing.Key, error) {
	if a.Config.Production {
		return nil, os.MkdirAll(a.keyDir(), 0o700) // of the logs
	}
	known, err := a.Store.SigningKeys(ctx)
	if err != nil {
		return nil, err
	}
	_, err = os.Stat(filepath.Join(a.keyDir(), signing.TestKeysFile))
	if errors.Is(err, os.ErrNotExist) && slices.ContainsFunc(known, func(k signing.Key) bool { return k.State == signing.Active }) {
		return nil, ErrKeysMissing
	}
	return signing.MakeTestIdentity(a.keyDir(), a.Clock.Now())
}

func (c *Config) token() signing.TokenConfig {
	return signing.TokenConfig{Module: c.PKCS11Module, Label: c.PKCS11Token, PIN: string(c.PKCS11PIN), Sessions: c.PKCS11Sessions}
}

// backend is where private keys are: files under the TEST identity, else a token
// (S-063). Keys and identity are to belong together.
func (a *App) backend(test []signing.Key) (signing.Backend, error) {
	known, err := a.Store.SigningKeys(context.Background())
	if err != nil {
		return nil, err
	}
	if err := signing.CheckIdentity(append(known, test...), a.Config.SHCIssuer, a.Config.Production); err != nil {
		return nil, err
	}
	if !a.Config.Production {
		return signing.OpenFiles(a.keyDir(), test)
	}
	if a.Token, err = signing.NewToken(a.Config.token(), a.Store.SigningKeys, a.Clock.Now); err != nil {
		return nil, err
	}
	return signing.NewQueue(a.Token, a.Config.PKCS11Sessions, a.Config.PKCS11Waiting), nil
}

func (a *App) assemble(ring *seal.Ring, testKeys []signing.Key) error {
	private, err := a.backend(testKeys)
	if err != nil {
		return err
	}
	renderer, err := pdf.New(a.Config.Fonts...)
	if err != nil {
		return err
	}
	products := catalogue.Default()
	a.Published = publish.New(a.Store, filepath.Join(a.keyDir(), signing.CRLFile), a.Clock)
	a.Log = &audit.Log{Book: a.Store, Clock: a.Clock, IDs: a.IDs}
	a.Applications = &application.Service{
		Log: a.Log, Store: a.Store, Rules: vaccination.Rules{Catalogue: products}, Test: !a.Config.Production, Clock: a.Clock, IDs: a.IDs,
	}
	a.Approvals = &office.Approvals{Log: a.Log, Store: a.Store, Clock: a.Clock, IDs: a.IDs}
	a.Offices = &office.Offices{Log: a.Log, Store: a.Store, Approvals: a.Approvals, Clock: a.Clock}
	a.Terminals = &office.Terminals{Log: a.Log, Store: a.Store, Approvals: a.Approvals, Clock: a.Clock, IDs: a.IDs}
	a.Budget = &office.Budget{Log: a.Log, Store: a.Store, Clock: a.Clock}
	a.Imports = &vaccination.Imports{Log: a.Log, Store: a.Store, Approvals: a.Approvals, Clock: a.Clock, IDs: a.IDs}
	a.Vault = &vault.Service{Log: a.Log, Store: a.Store, Cases: map[vault.Purpose]vault.Cases{vault.Certificate: a.Applications}}
	a.Applications.Vault = a.Vault
	a.Custody = &custody.Service{Log: a.Log, Store: a.Store, Approvals: approving{a.Approvals}}
	a.Keys = &keys.Service{
		Log: a.Log, Store: a.Store, Approvals: approving{a.Approvals}, Clock: a.Clock,
		SHCIssuer: a.Config.SHCIssuer, VDSNCIssuer: a.Config.VDSNCIssuer, Test: !a.Config.Production,
		Published: a.Published.Bundle,
	}
	if a.Token != nil {
		a.Keys.Token = a.Token
	}
	a.Retention = &custody.Retention{Service: a.Custody, Kept: a.Store, Now: a.Clock.Now, IDs: a.IDs.Row, Archive: a.archive()}
	a.Statistics = &statistics.Service{Log: a.Log, Store: a.Store}
	a.Issuance = &issuance.Service{
		Log: a.Log, Store: a.Store, Applications: a.Applications,
		Signer:    signing.NewSigner(private, a.Store, a.Store.SigningKey, a.Clock),
		Published: a.Published.Bundle,
		Digests:   func(office, value string) [][]byte { return ring.Indexes(office, seal.Index, "preview", value) },
		Catalogue: products, Renderer: renderer, Clock: a.Clock, IDs: a.IDs,
		Identity: issuance.Identity{SHCIssuer: a.Config.SHCIssuer, VDSNCIssuer: a.Config.VDSNCIssuer, Test: !a.Config.Production},
	}
	many := issuance.Many{Log: a.Log, Store: a.Store, Issuance: a.Issuance, Approvals: a.Approvals, Clock: a.Clock, IDs: a.IDs}
	revocations, reissues := many, many
	revocations.Act, reissues.Act = issuance.RevokeMany, issuance.ReissueMany
	a.Revocations, a.Reissues = &revocations, &reissues
	a.Mailings = &issuance.Mailings{Log: a.Log, Store: a.Store, Issuance: a.Issuance, Approvals: a.Approvals, Clock: a.Clock, IDs: a.IDs}
	a.Batches = &exchange.Batches{Log: a.Log, Store: a.Store, Applications: a.Applications, Approvals: a.Approvals, Clock: a.Clock, IDs: a.IDs}
	a.Approvals.NotOwn = map[office.Kind]func(context.Context, actor.Actor, string) error{
		office.RevokeBulk: a.Revocations.NotOwn, office.ReissueBulk: a.Reissues.NotOwn, office.MailBulk: a.Mailings.NotOwn, office.BatchBulk: a.Batches.NotOwn,
	}
	a.Issuance.Paper = signing.NewPaperSigner(private, a.Issuance, a.Store.SigningKey, a.Clock)
	if err := a.proveLog(); err != nil {
		return err
	}
	if err := a.watchLog(); err != nil {
		return err
	}
	if a.Config.Production {
		return nil
	}
	return a.registerKeys(testKeys)
}

// ErrKeysMissing tells that another directory's keys sign for this database: with
// a second set beside them no certificate would pass its self-check.
var ErrKeysMissing = errors.New("the database has active signing keys that are not in the keys directory; bring that directory here, or start with an empty database")

// registerKeys makes the database know the keys, and refuses one that is signed
// for with others. They belong to the installation; the act is logged with the first office, or with the invented
// one before there is any.
func (a *App) registerKeys(keys []signing.Key) error {
	ctx := context.Background()
	known, err := a.Store.SigningKeys(ctx)
	if err != nil {
		return err
	}
	has := func(list []signing.Key, id string) bool {
		return slices.ContainsFunc(list, func(k signing.Key) bool { return k.ID == id })
	}
	if slices.ContainsFunc(known, func(k signing.Key) bool { return k.State == signing.Active && !has(keys, k.ID) }) {
		return ErrKeysMissing
	}
	fresh := slices.ContainsFunc(keys, func(k signing.Key) bool { return !has(known, k.ID) })
	if !fresh {
		return nil
	}
	by := job("start", TestOffice)
	return a.Log.Act(ctx, by, audit.Entry{Action: "key.register"}, func(ctx context.Context, _ *audit.Entry) error {
		return a.Store.RegisterKeys(ctx, by.Office, keys)
	})
}

// SetupLink is what a newcomer follows to set password and passkey, once.
type SetupLink struct {
	User, Name, Link string
}

// AddOffice creates an office with its first officers, who then approve
// everybody else, and returns their set-up links. Those that are given by user
// id are used; the others are made.
func (a *App) AddOffice(ctx context.Context, o office.Office, people []office.Staff, links map[string]string) (list []SetupLink, err error) {
	err = a.Log.Act(ctx, job("office", o.Code), audit.Entry{Action: "office.add", Object: o.Code}, func(ctx context.Context, e *audit.Entry) error {
		if err := a.Store.AddOffice(ctx, o); err != nil {
			return err
		}
		for i, p := range people {
			link := links[p.User]
			if link == "" {
				link = a.Accounts.NewLink(o.Code)
			}
			made, err := a.Accounts.MakeWith(ctx, p, link)
			if err != nil {
				return err
			}
			e.Fact(fmt.Sprintf("staff %d", i+1), made.ID)
			list = append(list, SetupLink{p.User, p.Name, link})
		}
		return nil
	})
	return list, err
}

// firstYear is how long the accounts of the first people live.
const firstYear = 365 * 24 * time.Hour

// FirstPeople are those with whom an office begins: officers, without whom nothing could be
// approved, and where a name is given an operator, who carries out what they approve.
func (a *App) FirstPeople(code, unit string, officers []string, operator string) (list []office.Staff) {
	add := func(role office.Role, n int, name string) {
		list = append(list, office.Staff{
			Office: code, User: fmt.Sprintf("%s-%s%d", code, role, n), Name: name, Unit: unit, Role: role, Ends: a.Clock.Now().Add(firstYear),
		})
	}
	for i, name := range officers {
		add(office.Officer, i+1, name)
	}
	if operator != "" {
		add(office.Operator, 1, operator)
	}
	return list
}

// ChangeOffice changes the settings of an office.
func (a *App) ChangeOffice(ctx context.Context, code string, change func(*office.Settings)) (o office.Office, err error) {
	err = a.Log.Act(ctx, job("office", code), audit.Entry{Action: "office.set", Object: code}, func(ctx context.Context, _ *audit.Entry) error {
		if o, err = a.Store.Office(ctx, code); err != nil {
			return err
		}
		change(&o.Settings)
		if err := o.Settings.Check(); err != nil {
			return err
		}
		return a.Store.SaveOffice(ctx, o)
	})
	return o, err
}
