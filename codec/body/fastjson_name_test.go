// SPDX-License-Identifier: Apache-2.0

package body

import "testing"

// The numbers are those of fastjson 1.2.83 (TypeUtils.fnv1a_64, fnv1a_64_lower, fnv1a_64_extract) and fastjson2 2.0.59
// (Fnv.hashCode64, hashCode64LCase).
func TestNamesHaveTheNumbersOfFastjson(t *testing.T) {
	for name, want := range map[string]nameHashes{
		"topic":          {0x520c8b7d6934ac64, 0x6369706f74},
		"c":              {0xaf63de4c8601eff2, 0x63},
		"consumerGroup":  {0xb584eac8bd075f00, 0x7544d22f2f1cb160},
		"Consumer_Group": {0xdb8c26fb1e71eab5, 0xdcf2b68621bb1775, 0x7544d22f2f1cb160},
		"topicName":      {0x8ac380586ece6a3f, 0x60357f4c6d5df65f},
		"isTopic":        {0x520c8b7d6934ac64, 0x6369706f74},
	} {
		got := hashesOf([]byte(name))
		for _, number := range want {
			if !got.meets(nameHashes{number}) {
				t.Errorf("%s does not have %x", name, number)
			}
		}
	}
}

func TestNamesThatMeanTheSameToFastjsonMeet(t *testing.T) {
	known := hashesOf([]byte("consumerGroup"))
	for _, name := range []string{"ConsumerGroup", "CONSUMERGROUP", "consumer_group", "consumer-group", "consumer group", "isConsumerGroup", "isConsumer_Group"} {
		if !hashesOf([]byte(name)).meets(known) {
			t.Errorf("%s does not meet consumerGroup", name)
		}
	}
	for _, name := range []string{"", "clientId", "consumerGroups", "onsumerGroup", "mqSet", "is", "a"} {
		if hashesOf([]byte(name)).meets(known) {
			t.Errorf("%s meets consumerGroup", name)
		}
	}
}
