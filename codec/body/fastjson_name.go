// SPDX-License-Identifier: Apache-2.0

package body

import "slices"

// nameHashes are the numbers by which some release of fastjson may know a member. No release compares the text of
// a name, and another name with one of these numbers is made in no time: to a broker it is the same member.
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

// fnv1a is what fastjson 1, and fastjson 2 for names of more than 8 bytes, know a name by (TypeUtils.fnv1a_64, Fnv).
func fnv1a(name []byte) uint64 {
	hash := uint64(0xcbf29ce484222325)
	for _, b := range name {
		hash = (hash ^ uint64(b)) * 0x100000001b3
	}
	return hash
}

// packed is what fastjson 2 knows a name of up to 8 bytes by: its bytes, the first one lowest (Fnv.hashCode64).
func packed(name []byte) (hash uint64) {
	if len(name) == 0 || len(name) > 8 {
		return fnv1a(name)
	}
	for _, b := range slices.Backward(name) {
		hash = hash<<8 | uint64(b)
	}
	return hash
}
