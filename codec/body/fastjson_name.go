// SPDX-License-Identifier: Apache-2.0

package body

import (
	"hash/fnv"
	"slices"
)

// nameHashes are the numbers that some release of fastjson may use for the name of a member. No release compares the
// text of a name, and another name with one of these numbers is easy to make: to a broker it is the same member.
type nameHashes []uint64

// hashesOf returns the numbers of an ASCII name.
func hashesOf(name []byte) nameHashes {
	hashes := appendHashes(nil, name)
	if len(name) > 2 && string(name[:2]) == "is" { // fastjson 1 tries the rest (JavaBeanDeserializer.smartMatch)
		hashes = appendHashes(hashes, name[2:])
	}
	return hashes
}

func appendHashes(to nameHashes, name []byte) nameHashes {
	lowered, folded := make([]byte, 0, len(name)), make([]byte, 0, len(name))
	for _, b := range name {
		if 'A' <= b && b <= 'Z' {
			b += 'a' - 'A'
		}
		lowered = append(lowered, b)
		if b != '_' && b != '-' && b != ' ' {
			folded = append(folded, b)
		}
	}
	return append(to, fnv1a(name), fnv1a(lowered), fnv1a(folded), packed(name), packed(lowered), packed(folded))
}

// meets reports whether a release of fastjson may take one name for the other.
func (h nameHashes) meets(other nameHashes) bool {
	return slices.ContainsFunc(h, func(n uint64) bool { return slices.Contains(other, n) })
}

// fnv1a returns the number that fastjson 1 uses for every name (TypeUtils.fnv1a_64), and fastjson 2 for names of more
// than 8 bytes (Fnv.hashCode64).
func fnv1a(name []byte) uint64 {
	hash := fnv.New64a()
	_, _ = hash.Write(name) // never fails
	return hash.Sum64()
}

// packed returns the number that fastjson 2 uses for a name: of one of up to 8 bytes the bytes themselves, the first one
// lowest (Fnv.hashCode64).
func packed(name []byte) (hash uint64) {
	if len(name) == 0 || len(name) > 8 {
		return fnv1a(name)
	}
	for _, b := range slices.Backward(name) {
		hash = hash<<8 | uint64(b)
	}
	return hash
}
