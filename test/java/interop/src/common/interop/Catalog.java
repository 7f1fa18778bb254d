// SPDX-License-Identifier: Apache-2.0
package interop;

import java.util.Map;

/** Scenarios by name. */
interface Catalog {
    void addTo(Map<String, Scenario> all);
}
