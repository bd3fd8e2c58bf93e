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
	keys, err := a.AddOffice(ctx, o, TestStaff())
	if fault.CodeOf(err) == fault.Conflict { // another process made it at the same moment
		return readStaffKeys(path)
	}
	if err != nil {
		return nil, err
	}
	var list []StaffKey
	for i, p := range TestStaff() {
		list = append(list, StaffKey{p.Name, p.Role, keys[i]})
	}
	text, err := json.MarshalIndent(list, "", "  ")
	if err != nil {
		return nil, err
	}
	return list, os.WriteFile(path, append(text, '\n'), 0o600)
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
