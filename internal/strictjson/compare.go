package strictjson

import (
	"slices"
	"strconv"
)

// Differences returns the paths of the values at which two trees of Parse differ,
// such as "a.b[0].c": what is in one only, and what is in both and not the same.
// Sorted; nil when the trees are equal. path is that of the trees themselves.
func Differences(got, want any, path string) []string {
	if equal(got, want) {
		return nil
	}
	d := differences{}
	d.compare(got, want, path)
	slices.Sort(d.paths)
	return slices.Compact(d.paths)
}

// equal tells whether two trees have no difference, without naming any place.
func equal(got, want any) bool {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok || len(g) != len(w) {
			return false
		}
		for name, v := range w {
			if other, ok := g[name]; !ok || !equal(other, v) {
				return false
			}
		}
		return true
	case []any:
		g, ok := got.([]any)
		return ok && slices.EqualFunc(g, w, equal)
	}
	return !isContainer(got) && got == want
}

type differences struct{ paths []string }

func (d *differences) compare(got, want any, path string) {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if ok && len(g) > 0 && len(w) > 0 {
			d.members(g, w, path)
			return
		}
		if ok && len(g) == len(w) {
			return
		}
	case []any:
		g, ok := got.([]any)
		if ok && len(g) > 0 && len(w) > 0 {
			d.items(g, w, path)
			return
		}
		if ok && len(g) == len(w) {
			return
		}
	default:
		if !isContainer(got) && got == want {
			return
		}
	}
	d.leaves(got, path)
	d.leaves(want, path)
}

func isContainer(v any) bool {
	switch v.(type) {
	case map[string]any, []any:
		return true
	}
	return false
}

func (d *differences) members(got, want map[string]any, path string) {
	for name, w := range want {
		if g, ok := got[name]; !ok {
			d.leaves(w, member(path, name))
		} else if isContainer(w) || isContainer(g) || g != w {
			d.compare(g, w, member(path, name))
		}
	}
	for name, g := range got {
		if _, ok := want[name]; !ok {
			d.leaves(g, member(path, name))
		}
	}
}

func (d *differences) items(got, want []any, path string) {
	for i := range max(len(got), len(want)) {
		at := item(path, i)
		switch {
		case i >= len(got):
			d.leaves(want[i], at)
		case i >= len(want):
			d.leaves(got[i], at)
		default:
			d.compare(got[i], want[i], at)
		}
	}
}

// leaves takes all values of a tree for different. An empty object or array is a
// value too.
func (d *differences) leaves(v any, path string) {
	switch v := v.(type) {
	case map[string]any:
		for name, child := range v {
			d.leaves(child, member(path, name))
		}
		if len(v) > 0 {
			return
		}
	case []any:
		for i, child := range v {
			d.leaves(child, item(path, i))
		}
		if len(v) > 0 {
			return
		}
	}
	d.paths = append(d.paths, path)
}

func member(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func item(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }
