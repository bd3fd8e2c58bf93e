package cli

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"

	"akashi/certificate"
	"akashi/internal/audit"
	"akashi/internal/fault"
	"akashi/internal/office"
)

// The invented office of a first start: prefectures 90 to 99 do not exist.
const (
	TestOffice       = "900001"
	testOfficeNameJA = "架空県証市"
	testOfficeNameEN = "Akashi City"
	testUnit         = "健康推進課"
)

// The first people of the invented office.
var (
	testOfficers = []string{"課長 花子 / Hanako Kacho", "係長 太郎 / Taro Kakaricho"}
	testOperator = "情報 三郎 / Saburo Joho"
)

// linksFile keeps the set-up links of the invented office's first people, by user id.
const linksFile = "test-setup-links.json"

// FirstStart makes the invented office and its first people where there is
// no office yet, and returns the set-up links that nobody has followed. They are
// kept beside the database, mode 0600, so that a newcomer finds them again, and
// made anew when all have run out; both for the TEST identity only.
func (a *App) FirstStart(ctx context.Context) ([]SetupLink, error) {
	if a.Config.Production {
		return nil, nil
	}
	offices, err := a.Store.Offices(ctx)
	if err != nil {
		return nil, err
	}
	links, err := readLinks(a.linksPath())
	if err == nil && len(offices) == 0 {
		links, err = a.firstOffice(ctx)
	}
	if err != nil {
		return nil, err
	}
	return a.openLinks(ctx, links)
}

func (a *App) linksPath() string { return filepath.Join(a.Config.Data, linksFile) }

func (a *App) firstOffice(ctx context.Context) (map[string]string, error) {
	o, err := office.New(TestOffice, testOfficeNameJA, testOfficeNameEN)
	if err != nil {
		return nil, err
	}
	o.Settings.Open = certificate.Kinds()
	people := a.FirstPeople(TestOffice, testUnit, testOfficers, testOperator)
	links := map[string]string{}
	for _, p := range people {
		links[p.User] = a.Accounts.NewLink(TestOffice)
	}
	// The file comes first: a start that dies in between leaves links that the
	// next one uses, and of two that start at once both use the same.
	if links, err = writeLinks(a.linksPath(), links, os.Link); err != nil {
		return nil, err
	}
	if _, err := a.AddOffice(ctx, o, people, links); err != nil && fault.CodeOf(err) != fault.Conflict {
		return nil, err
	}
	return links, nil
}

// openLinks returns the links that can be followed. While nobody has set up an
// account yet, those that ran out are made anew.
func (a *App) openLinks(ctx context.Context, links map[string]string) (list []SetupLink, err error) {
	staff, err := a.Store.ListStaff(ctx, TestOffice)
	if err != nil {
		return nil, err
	}
	alone, renewed := true, false
	for _, s := range staff {
		alone = alone && s.State == office.NewAccount
	}
	if links == nil {
		links = map[string]string{}
	}
	for _, s := range staff {
		open := a.Accounts.LinkOpen(ctx, links[s.User])
		if !open && alone {
			if links[s.User], err = a.renewLink(ctx, s); err != nil {
				return nil, err
			}
			open, renewed = true, true
		}
		if open {
			list = append(list, SetupLink{s.User, s.Name, links[s.User]})
		}
	}
	if renewed {
		_, err = writeLinks(a.linksPath(), links, os.Rename)
	}
	return list, err
}

func (a *App) renewLink(ctx context.Context, s office.Staff) (link string, err error) {
	err = a.Log.Act(ctx, job("start", s.Office), audit.Entry{Action: "setup.link", Object: s.ID}, func(ctx context.Context, _ *audit.Entry) error {
		link, err = a.Accounts.Link(ctx, s)
		return err
	})
	return link, err
}

// writeLinks puts the links in place, or returns those that are there already.
func writeLinks(path string, links map[string]string, place func(from, to string) error) (map[string]string, error) {
	text, err := json.MarshalIndent(links, "", "  ")
	if err != nil {
		return nil, err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".links-*") // mode 0600
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	_, err = tmp.Write(append(text, '\n'))
	if err := errors.Join(err, tmp.Close()); err != nil {
		return nil, err
	}
	switch err := place(tmp.Name(), path); {
	case errors.Is(err, os.ErrExist):
		return readLinks(path)
	case err != nil:
		return nil, err
	}
	return links, nil
}

func readLinks(path string) (links map[string]string, err error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return links, json.Unmarshal(text, &links)
}
