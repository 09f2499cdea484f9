"""Connectors that show what they sign with, each with the test that catches it."""

from dataclasses import replace

from brook_tieout import Brook


class ShowsItsToken(Brook):
    def __repr__(self):
        return f"Brook({self._credentials.access_token()})"


class PrintsItsToken(Brook):
    def apply(self, parcel):
        print("signed with", self._credentials.access_token())  # noqa: T201 - its fault
        return super().apply(parcel)


class TellsItsTokenInErrors(Brook):
    def apply(self, parcel):
        said = f"Refused with {self._credentials.access_token()}."
        return [
            replace(one, error=type(one.error)(said)) if one.error else one
            for one in super().apply(parcel)
        ]


class SignsItsParcels(Brook):
    def prepare(self, requests):
        key = self._credentials.access_token()
        return [replace(one, call=f"{one.call}?key={key}") for one in super().prepare(requests)]


class NotesItsTokenInCursors(Brook):
    def changes(self, kinds, since):
        key = self._credentials.access_token()
        for page in super().changes(kinds, since):
            yield replace(page, cursor=f'{{"key": "{key}", {page.cursor[1:]}')


CAUGHT = {
    ShowsItsToken: "test_no_secret_is_shown_logged_or_kept",
    PrintsItsToken: "test_no_secret_is_shown_logged_or_kept",
    TellsItsTokenInErrors: "test_no_secret_is_shown_logged_or_kept",
    SignsItsParcels: "test_no_secret_is_shown_logged_or_kept",
    NotesItsTokenInCursors: "test_no_secret_is_shown_logged_or_kept",
}
