// Package templates holds what is shown and can change without code: fonts and
// the labels of the printed page. It only embeds files and imports nothing of
// this module.
package templates

import "embed"

// Fonts holds the TrueType files under fonts/, with their licences.
//
//go:embed fonts/*.ttf fonts/*.txt
var Fonts embed.FS

// Pages holds one folder per layout version under page/, such as
// page/2026-11/labels.json.
//
//go:embed page
var Pages embed.FS

// Papers holds the words of the papers around a certificate, paper/words.json: key to Japanese
// and English.
//
//go:embed paper
var Papers embed.FS
