use super::{Cell, Pane, buffer, lines, of, width};
use crate::View;
use crate::view::tests::{real, standing};

fn cell(text: &str) -> Cell {
    Cell { text: text.to_owned(), is_alarm: false }
}

fn pane(device: &str) -> Pane {
    let row = vec![cell("opencl"), cell(device), cell("12"), cell("1.5 MiB")];
    Pane { title: "Devices", headings: vec!["backend", "device", "batches", "in/s"], names: 2, rows: vec![row] }
}

#[test]
fn every_row_has_a_cell_for_each_heading() {
    let panes = of(&real());
    assert!(panes.len() > 15, "a real sidecar fills them");
    for pane in panes {
        assert!(pane.names <= pane.headings.len(), "{}", pane.title);
        assert!(pane.rows.iter().all(|row| row.len() == pane.headings.len()), "{}", pane.title);
    }
}

#[test]
fn names_stand_left_and_figures_right() {
    let pane = pane("Tesla");
    assert_eq!(width(&pane), 7 + 2 + 6 + 2 + 7 + 2 + 7);
    let found = lines(&buffer(&pane, 40));
    assert_eq!(found[0], " Devices ───────────────────────────────");
    assert_eq!(found[1..], ["backend  device  batches     in/s", "opencl   Tesla        12  1.5 MiB"]);
}

#[test]
fn a_name_that_is_too_wide_is_cut_and_no_figure_is() {
    let pane = pane("a processor with a very long name");
    let found = lines(&buffer(&pane, 40));
    assert_eq!(found[1..], ["backend  device         batches     in/s", "opencl   a processor …       12  1.5 MiB"]);
    let wide = self::pane("処理装置の名前がとても長い場合");
    let found = lines(&buffer(&wide, 40));
    assert!(found[2].ends_with("12  1.5 MiB") && found[2].contains('…'), "{found:?}");
    let found = lines(&buffer(&wide, 80));
    assert!(found[2].contains("処理装置の名前がとても長い場合  "), "wide characters are read off once: {found:?}");
}

#[test]
fn names_cannot_drive_the_terminal() {
    let mut view = real();
    view.devices[0].device = "\u{1b}]0;title\u{7}\nx".to_owned();
    let panes = of(&view);
    let devices = panes.iter().find(|pane| pane.title == "Work of devices").expect("devices");
    assert_eq!(devices.rows[0][1].text, "\u{fffd}]0;title\u{fffd}\u{fffd}x");
}

fn alarms(view: &View) -> Vec<(&'static str, String)> {
    let panes = of(view);
    let cells = panes.iter().flat_map(|pane| pane.rows.iter().flatten().map(move |cell| (pane.title, cell)));
    cells.filter(|(_, cell)| cell.is_alarm).map(|(title, cell)| (title, cell.text.clone())).collect()
}

#[test]
fn what_should_not_be_is_an_alarm() {
    let mut view = real();
    assert_eq!(alarms(&view), [], "nothing went wrong in the interval");
    view.devices[0].worker_restarts_total = Some(2.0);
    view.backends[0].fallback_items_per_second = Some(12.0);
    let expected = [
        ("Devices now, counts since start", "2"),
        ("Repeated on the CPU", "12.0"),
        ("Workers of devices, since start", "2"),
    ];
    assert_eq!(alarms(&view), expected.map(|(title, text)| (title, text.to_owned())));
}

/// The text of a pane, without its title.
fn shown(view: &View, title: &str, width: u16) -> Vec<String> {
    let panes = of(view);
    let pane = panes.iter().find(|pane| pane.title == title).expect(title);
    lines(&buffer(pane, width))[1..].to_vec()
}

#[test]
fn engines_and_devices_show_their_health() {
    let view = standing();
    let engines = [
        "backend  device          health   operations  waiting  predicted  running",
        "cpu      AMD EPYC 9R14   good             23    8,192     237 ms       64",
        "cuda     NVIDIA H200 #0  good             17        0        0 s    4,096",
        "cuda     NVIDIA H200 #1  no work           0        0        0 s        0",
        "cuda     NVIDIA H200 #2  faults            0        0        0 s        0",
        "opencl   gfx942 #0       good              4        0        0 s        0",
        "vector   AMD EPYC 9R14   good             18        0        0 s      512",
    ];
    assert_eq!(shown(&view, "Engines now, items", 76), engines);
    let devices = [
        "backend  device          state         may hold  restarts  faults  quarantines",
        "cuda     NVIDIA H200 #0  up           112.0 GiB         0       0            0",
        "cuda     NVIDIA H200 #1  quarantined  112.0 GiB         0       4            3",
        "cuda     NVIDIA H200 #2  down                 –         2       7            0",
        "opencl   gfx942 #0       testing      153.6 GiB         0       0            0",
    ];
    assert_eq!(shown(&view, "Devices now, counts since start", 80), devices);
    let found = alarms(&view);
    for expected in [
        ("Engines now, items", "faults"),
        ("Devices now, counts since start", "quarantined"),
        ("Devices now, counts since start", "down"),
    ] {
        assert!(found.contains(&(expected.0, expected.1.to_owned())), "{expected:?}: {found:?}");
    }
    assert!(!found.iter().any(|(_, text)| text == "testing" || text == "no work"), "that is how a device begins");
}

#[test]
fn tenants_show_what_they_hold_of_their_quotas() {
    let expected = [
        "tenant   requests            items  bytes  compute  over quota/s",
        "other       1 / –            8 / –      –        –             0",
        "peer0     18 / 24  73,728 / 98,304  12.5 %  80.0 %          6.00",
        "peer1   0 / 5,000      0 / 131,072    0 %      0 %             0",
    ];
    let words = |lines: &[String]| {
        lines.iter().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>()
    };
    let found = shown(&standing(), "Tenants now, in flight of their quota", 76);
    assert_eq!(words(&found), words(&expected.map(str::to_owned)));
    // A sidecar of before says nothing of this.
    let found = words(&shown(&real(), "Tenants now, in flight of their quota", 76));
    assert_eq!(found, ["tenant requests items bytes compute over quota/s", "peer0 – – – – 0"]);
}

#[test]
fn requests_and_the_cache_have_their_panes() {
    let found = shown(&standing(), "Requests from arrival to answer", 76);
    assert!(found[1].contains("40.0  1.50 ms  1.00 ms  2.20 ms  2.47 ms"), "{found:?}");
    let found = shown(&standing(), "Cache of verdicts, items", 76);
    assert!(found[1].trim_end().ends_with("200,704  262,144"), "{found:?}");
    let found = shown(&real(), "Requests from arrival to answer", 76);
    assert_eq!(
        found[1].matches('–').count(),
        5,
        "how many, the mean and three percentiles are not reported: {found:?}"
    );
}
