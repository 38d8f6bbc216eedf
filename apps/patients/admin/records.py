"""What the staff's lists and pages of patients, appointments, documents and notes share.

They show that a record is there, whose it is and when it changed, never what it says: no name, text or file name. What
it says is asked for with a reason, in a POST that writes the reason into the audit trail and shows it in that one
response. Nothing remembers that it was shown: the next look gives a reason again, which the buttons on a page that
shows contents carry along. What is deleted is not shown before it is restored.

Nobody finds a patient by name here: a hit alone would tell, without a reason, that a person is a patient, and the name
would stand in the address of the page, which logs and histories keep. Staff who are asked for help are told an id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.accounts import audit
from apps.accounts.models import Organization
from apps.accounts.staff_admin import ReadOnlyAdmin
from apps.patients.admin.forms import WhyForm
from apps.patients.ids import parse_patient_id
from apps.patients.models import Patient

_MAX_ORGANIZATIONS_FOUND = 50
OF_PATIENT = "patient__id__exact"  # the parameter that narrows a list to one patient

View = Callable[..., HttpResponseBase]


class DeletedFilter(admin.SimpleListFilter):
    """What is deleted is a list of its own, so that both are read by an index."""

    title = "state"
    parameter_name = "deleted"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Deleted")]

    def choices(self, changelist: Any) -> Iterator[Any]:
        everything, *others = super().choices(changelist)
        yield {**everything, "display": "Not deleted"}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(deleted_at__isnull=self.value() != "yes")


class RecordAdmin(ReadOnlyAdmin):
    """Lists the newest first; who opens a list is on the record as well."""

    contents: ClassVar[tuple[str, ...]]  # fields that lists and pages do not even read
    own_pages: ClassVar[tuple[str, ...]]  # pages of one record beside Django's: "reveal" is `reveal_view`
    list_filter: ClassVar[tuple[Any, ...]] = (DeletedFilter,)
    list_select_related = ("organization",)
    ordering = ("-created_at", "-id")
    sortable_by = ()  # the order of the lists is the only one that has an index
    search_fields = ("id",)  # shows the box; get_search_results says what is searched
    search_help_text = "An id, a whole external id, or a part of the organisation's name."
    change_form_template = "admin/patients/record.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer(*self.contents)

    def exactly(self, term: str) -> Iterator[Q]:
        """What a term may name, the likeliest first."""
        try:
            yield Q(id=UUID(term))
        except ValueError:
            if any(field.name == "external_id" for field in self.opts.fields):
                yield Q(external_id=term)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        for exact in self.exactly(term):  # one after the other: joined by OR, no index would serve them
            if queryset.filter(exact).order_by().exists():
                return queryset.filter(exact), False
        named = Organization.objects.filter(name__icontains=term).values_list("id", flat=True)
        return queryset.filter(organization__in=list(named[:_MAX_ORGANIZATIONS_FOUND])), False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        response = super().changelist_view(request, extra_context)
        if response.status_code == 200:
            audit.record(
                f"{self.audit_object_type}.listed",
                actor=audit.by_user(request.user),
                organization_id=_organization_of_patient(request.GET.get(OF_PATIENT, "")),
                object_type=self.audit_object_type,
            )
        return response

    @admin.display(description="patient")
    def patient_link(self, record: Any) -> SafeString:
        page = reverse("admin:patients_patient_change", args=[record.patient_id])
        return format_html('<a href="{}">{}</a>', page, record.patient_id)

    def may_change(self, request: HttpRequest) -> bool:
        """Through the pages that ask for a reason; Django's own form stays closed."""
        return bool(request.user.has_perm(f"patients.change_{self.opts.model_name}"))

    def whole(self, record: Any) -> Any:
        """The record with its contents, in one read."""
        related = ("session",) if self.opts.model_name == "note" else ()
        return self.model._default_manager.select_related(*related).get(pk=record.pk)

    # -- Pages beside Django's ---------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(
                f"<path:object_id>/{name}/",
                self.admin_site.admin_view(getattr(self, f"{name}_view")),
                name=f"patients_{self.opts.model_name}_{name}",
            )
            for name in self.own_pages
        ]
        return [*own, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        buttons = [
            (label, reverse(f"admin:patients_{self.opts.model_name}_{name}", args=[unquote(object_id)]))
            for name, label in self.buttons(request, self.get_object(request, unquote(object_id)))
        ]
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "buttons": buttons})

    def buttons(self, request: HttpRequest, record: Any) -> Iterator[tuple[str, str]]:
        """The page behind each button on the record's own page, and what the button says."""
        if record is not None and record.deleted_at is None and "reveal" in self.own_pages:
            yield "reveal", "Reveal"
        if record is not None and "deletion" in self.own_pages and self.may_change(request):
            yield "deletion", "Delete" if record.deleted_at is None else "Restore"

    def page_of(self, record: Any) -> str:
        return reverse(f"admin:patients_{self.opts.model_name}_change", args=[record.pk])

    def back_to(self, request: HttpRequest, record: Any, said: str, level: int = messages.SUCCESS) -> HttpResponse:
        self.message_user(request, said, level)
        return HttpResponseRedirect(self.page_of(record))

    def show(self, request: HttpRequest, template: str, record: Any, title: str, **context: Any) -> TemplateResponse:
        whole = {
            **self.admin_site.each_context(request), "title": title, "opts": self.opts, "record": record, **context,
        }  # fmt: skip
        return TemplateResponse(request, f"admin/patients/{template}.html", whole)


def _organization_of_patient(text: str) -> UUID | None:
    """In whose trail a list stands that is narrowed to one patient."""
    patient_id = parse_patient_id(text)
    if patient_id is None:
        return None
    return Patient.objects.filter(id=patient_id).values_list("organization_id", flat=True).first()


def with_reason(title: str, what: str, *, writing: str = "") -> Callable[[View], View]:
    """Makes a page of one record that is not deleted from `view(admin, request, record, reason)`: asks for the reason,
    saying `what` then happens, and calls the view when it was posted. The permission for `writing` belongs to a page
    with a form, which has the reason among its fields and is called without one when it is saved."""

    def decorate(view: View) -> View:
        @wraps(view)
        def asking(self: RecordAdmin, request: HttpRequest, object_id: str) -> HttpResponseBase:
            if not (request.user.has_perm(writing) if writing else self.has_view_permission(request)):
                raise PermissionDenied
            record = self.get_object(request, unquote(object_id))
            if record is None:
                return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined, no-any-return]
            if record.deleted_at is not None:
                return self.back_to(request, record, "It is deleted: restore it first.", messages.ERROR)
            saved = writing and "save" in request.POST
            form = WhyForm(request.POST if request.method == "POST" else None)
            if not saved and not form.is_valid():
                return self.show(request, "ask_why", record, title, form=form, what=what, verb=title.split()[0])
            response = view(self, request, record, "" if saved else form.cleaned_data["reason"])
            response.headers["Cache-Control"] = "private, no-store"
            return response

        return asking

    return decorate
