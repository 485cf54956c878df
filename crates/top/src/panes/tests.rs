use super::{Cell, Pane, buffer, lines, of, width};
use crate::View;
use crate::view::tests::real;

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
    let devices = panes.iter().find(|pane| pane.title == "Devices").expect("devices");
    assert_eq!(devices.rows[0][1].text, "\u{fffd}]0;title\u{fffd}\u{fffd}x");
}

#[test]
fn what_should_not_be_is_an_alarm() {
    let alarms = |view: &View| {
        let panes = of(view);
        let cells = panes.iter().flat_map(|pane| pane.rows.iter().flatten().map(move |cell| (pane.title, cell)));
        cells.filter(|(_, cell)| cell.is_alarm).map(|(title, cell)| (title, cell.text.clone())).collect::<Vec<_>>()
    };
    let mut view = real();
    assert_eq!(alarms(&view), [], "nothing went wrong in the interval");
    view.devices[0].worker_restarts_total = 2.0;
    view.backends[0].fallback_items_per_second = Some(12.0);
    let expected = [("Repeated on the CPU", "12.0"), ("Workers of devices, since start", "2")];
    assert_eq!(alarms(&view), expected.map(|(title, text)| (title, text.to_owned())));
}
