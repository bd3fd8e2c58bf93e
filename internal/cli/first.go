package cli

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"

	"akashi/internal/fault"
	"akashi/internal/office"
)

// The invented office of a first start: prefectures 90 to 99 do not exist.
const (
	TestOffice       = "900001"
	testOfficeNameJA = "架空県証市"
	testOfficeNameEN = "Akashi City"
)

// TestStaff are the two people of the invented office.
func TestStaff() []office.Staff {
	return []office.Staff{
		{Name: "窓口 花子 / Hanako Madoguchi", Role: office.Clerk},
		{Name: "係長 太郎 / Taro Kakaricho", Role: office.Officer},
	}
}

// StaffKey is a key as it is shown to the newcomer.
type StaffKey struct {
	Name string      `json:"name"`
	Role office.Role `json:"role"`
	Key  string      `json:"key"`
}

// FirstStart makes the invented office and its two people where there is no
// office yet, and returns their keys. The keys are kept beside the database,
// mode 0600, so that a newcomer finds them again; that is done for the TEST
// identity only.
func (a *App) FirstStart(ctx context.Context) ([]StaffKey, error) {
	path := filepath.Join(a.Config.Data, "test-staff-keys.json")
	offices, err := a.Store.Offices(ctx)
	if err != nil {
		return nil, err
	}
	if len(offices) > 0 || a.Config.Production {
		return readStaffKeys(path)
	}
	o, err := office.New(TestOffice, testOfficeNameJA, testOfficeNameEN)
	if err != nil {
		return nil, err
	}
	// The file comes first: a start that dies in between leaves keys that the
	// next one uses, and of two that start at once both use the same.
	list, err := a.NewStaff(TestOffice, TestStaff())
	if err != nil {
		return nil, err
	}
	if list, err = writeStaffKeys(path, list); err != nil {
		return nil, err
	}
	if err := a.AddOffice(ctx, o, list); err != nil && fault.CodeOf(err) != fault.Conflict {
		return nil, err
	}
	return list, nil
}

// writeStaffKeys keeps the keys, or returns those that are kept already.
func writeStaffKeys(path string, list []StaffKey) ([]StaffKey, error) {
	text, err := json.MarshalIndent(list, "", "  ")
	if err != nil {
		return nil, err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".staff-*") // mode 0600
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	_, err = tmp.Write(append(text, '\n'))
	if err := errors.Join(err, tmp.Close()); err != nil {
		return nil, err
	}
	switch err := os.Link(tmp.Name(), path); {
	case errors.Is(err, os.ErrExist):
		return readStaffKeys(path)
	case err != nil:
		return nil, err
	}
	return list, nil
}

func readStaffKeys(path string) ([]StaffKey, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var list []StaffKey
	return list, json.Unmarshal(text, &list)
}
