#!/usr/bin/env bash
# Makes the README's pictures of the dashboard anew, from the run in tui/src/fixture.rs. A test checks that they are current.
set -euo pipefail
cd "$(dirname "$0")/../.."
LOCKSCOPE_PICTURES=1 cargo test -p lockscope-cli --bin lockscope pictures_in_the_readme
