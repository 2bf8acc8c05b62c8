"""The cells of the back-office's lists as a phone needs them."""

from django.utils.safestring import mark_safe

from portal.templatetags.changelists import labelled

HEADERS = ({"text": mark_safe('<input type="checkbox">')}, {"text": "raison sociale"}, {"text": 'note « "x" »'})


def test_each_cell_says_the_title_of_its_column_except_the_box_that_ticks_all() -> None:
    cells = [mark_safe(f'<td class="field-{name}">{name}</td>') for name in ("box", "name", "note")]

    assert list(labelled(cells, HEADERS)) == [
        '<td class="field-box">box</td>',
        '<td data-label="Raison sociale" class="field-name">name</td>',
        '<td data-label="Note « &quot;x&quot; »" class="field-note">note</td>',
    ]


def test_a_cell_without_a_value_is_marked_and_one_beyond_the_titles_stays() -> None:
    cells = ["<td>box</td>", '<td class="field-name">-</td>', '<td class="field-note"></td>', "<td>7</td>"]
    icon = '<td class="field-name"><img src="/yes.svg" alt="Oui"></td>'

    assert list(labelled(map(mark_safe, cells), HEADERS))[1:] == [
        '<td data-label="Raison sociale" class="is-empty field-name">-</td>',
        '<td data-label="Note « &quot;x&quot; »" class="is-empty field-note"></td>',
        "<td>7</td>",
    ]
    assert "is-empty" not in next(iter(labelled([mark_safe(icon)], HEADERS[1:])))
