"""The style sheet: how Qt's own widgets look under a theme; roles are set as property `role`."""

from __future__ import annotations

from pathlib import Path

from gui.palette import FAMILIES, MONOSPACED, Theme

ART = (Path(__file__).parent / "art").as_posix()


def style_sheet(theme: Theme, scale: float) -> str:
    """Write the style sheet of a theme at a scale of texts."""

    def px(size: float) -> str:
        return f"{round(size * scale)}px"

    families = ", ".join(f'"{name}"' for name in FAMILIES)
    mono = ", ".join(f'"{name}"' for name in MONOSPACED)
    return f"""
* {{ font-family: {families}; font-size: {px(14)}; }}
QMainWindow, QDialog {{ background: {theme.window}; }}
QToolTip {{ background: {theme.surface}; color: {theme.text}; border: 1px solid {theme.border};
    padding: 6px; }}
QLabel {{ background: transparent; }}
QLabel[role="title"] {{ font-size: {px(22)}; font-weight: 600; }}
QLabel[role="haste"] {{ font-size: {px(22)}; font-weight: 600; color: {theme.failed}; }}
QLabel[role="heading"] {{ font-size: {px(16)}; font-weight: 600; }}
QLabel[role="caption"] {{ font-size: {px(12)}; font-weight: 600; color: {theme.muted}; }}
QLabel[role="muted"] {{ color: {theme.muted}; }}
QLabel[role="small"] {{ font-size: {px(12)}; color: {theme.muted}; }}
QLabel[role="prompt"] {{ font-size: {px(24)}; font-weight: 600; }}
QLabel[role="key"] {{ background: {theme.sunken}; border: 1px solid {theme.border};
    border-radius: 4px; padding: 1px 6px; font-size: {px(12)}; font-weight: 600; }}
QLabel[role="strong"], QLabel[tone] {{ font-weight: 600; }}
QLabel[tone="good"] {{ color: {theme.passed}; }}
QLabel[tone="bad"] {{ color: {theme.failed}; }}
QLabel[tone="odd"] {{ color: {theme.inconclusive}; }}
QLabel[tone="quiet"] {{ color: {theme.muted}; }}
QLabel[role="problem"] {{ color: {theme.failed}; font-weight: 600; }}
*[role="mono"] {{ font-family: {mono}; font-size: {px(13)}; }}
QFrame[role="card"] {{ background: {theme.surface}; border: 1px solid {theme.border};
    border-radius: 8px; }}
QFrame[role="attention"] {{ background: {theme.attention}; border-radius: 8px;
    border: {"2px" if theme.name == "contrast" else "0"} solid {theme.on_attention}; }}
QFrame[role="attention"] QLabel {{ color: {theme.on_attention}; }}
QFrame[role="attention"] QLabel[role="haste"] {{ color: {theme.failed}; }}
QFrame[role="bar"] {{ background: {theme.surface}; border: 0;
    border-bottom: 1px solid {theme.border}; }}
QFrame[role="line"] {{ background: {theme.border}; border: 0; max-height: 1px; min-height: 1px; }}
QPushButton, QToolButton {{ background: {theme.surface}; color: {theme.text};
    border: 1px solid {theme.border}; border-radius: 6px; padding: 6px 14px; }}
QToolButton {{ padding: 5px 8px; }}
QPushButton:hover, QToolButton:hover {{ background: {theme.hover}; }}
QPushButton:pressed, QToolButton:pressed {{ background: {theme.sunken}; }}
QPushButton:checked, QToolButton:checked {{ background: {theme.selection};
    border-color: {theme.accent}; }}
QPushButton:disabled, QToolButton:disabled {{ color: {theme.muted}; background: {theme.window}; }}
QPushButton:focus, QToolButton:focus {{ border: 2px solid {theme.accent}; padding: 5px 13px; }}
QToolButton:focus {{ padding: 4px 7px; }}
QPushButton[role="primary"] {{ background: {theme.accent}; color: {theme.on_accent};
    border-color: {theme.accent}; font-weight: 600; }}
QPushButton[role="primary"]:disabled {{ background: {theme.sunken}; color: {theme.muted};
    border-color: {theme.border}; }}
QPushButton[role="primary"]:focus {{ border: 2px solid {theme.text}; }}
QPushButton[role="danger"] {{ color: {theme.failed}; border-color: {theme.failed};
    font-weight: 600; }}
QPushButton[role="danger"]:disabled {{ color: {theme.muted}; border-color: {theme.border}; }}
QPushButton[role="flat"], QToolButton[role="flat"] {{ background: transparent; border: 0; }}
QFrame[role="attention"] QPushButton[role="flat"] {{ color: {theme.on_attention}; }}
QPushButton[role="flat"]:hover, QToolButton[role="flat"]:hover {{ background: {theme.hover}; }}
QToolButton[role="flat"]:focus {{ border: 2px solid {theme.accent}; }}
QToolButton[role="screen"] {{ background: transparent; border: 0; border-radius: 8px;
    font-size: {px(12)}; padding: 8px 4px; color: {theme.muted}; }}
QToolButton[role="screen"]:hover {{ background: {theme.hover}; }}
QToolButton[role="screen"]:checked {{ background: {theme.selection}; color: {theme.text};
    font-weight: 600; }}
QToolButton[role="screen"]:focus {{ border: 2px solid {theme.accent}; padding: 6px 2px; }}
QLineEdit, QPlainTextEdit, QTextEdit, QComboBox, QAbstractSpinBox {{
    background: {theme.surface}; color: {theme.text}; border: 1px solid {theme.border};
    border-radius: 6px; padding: 6px 8px; selection-background-color: {theme.accent};
    selection-color: {theme.on_accent}; }}
QLineEdit:focus, QPlainTextEdit:focus, QTextEdit:focus, QComboBox:focus, QAbstractSpinBox:focus {{
    border: 2px solid {theme.accent}; padding: 5px 7px; }}
QComboBox::drop-down {{ border: 0; width: 24px; }}
QComboBox::down-arrow {{ image: url({ART}/chevron-{theme.name}.svg); width: {px(14)};
    height: {px(14)}; }}
QCheckBox, QRadioButton {{ spacing: 8px; background: transparent; }}
QAbstractItemView::indicator, QCheckBox::indicator {{ width: {px(16)}; height: {px(16)};
    border: 1px solid {theme.muted}; border-radius: 4px; background: {theme.surface}; }}
QAbstractItemView::indicator:checked, QCheckBox::indicator:checked {{ background: {theme.accent};
    border-color: {theme.accent}; image: url({ART}/check-{theme.name}.svg); }}
QAbstractItemView::indicator:indeterminate, QCheckBox::indicator:indeterminate {{
    background: {theme.accent}; border-color: {theme.accent};
    image: url({ART}/dash-{theme.name}.svg); }}
QComboBox QAbstractItemView {{ border-radius: 0; padding: 4px; }}
QCheckBox:focus, QRadioButton:focus {{ color: {theme.accent}; }}
QAbstractItemView {{ background: {theme.surface}; color: {theme.text};
    border: 1px solid {theme.border}; border-radius: 8px; outline: 0;
    selection-background-color: {theme.selection}; selection-color: {theme.text};
    alternate-background-color: {theme.window}; }}
QTableView::item {{ padding: 0 8px; }}
QAbstractItemView:focus {{ border: 1px solid {theme.accent}; }}
QAbstractItemView[role="plain"] {{ border: 0; border-radius: 0; background: transparent; }}
QTreeView::item, QListWidget::item, QTreeWidget::item {{ padding: 4px 2px; }}
QHeaderView::section {{ background: {theme.surface}; color: {theme.muted}; border: 0;
    border-bottom: 1px solid {theme.border}; padding: 6px 8px; font-size: {px(12)};
    font-weight: 600; }}
QHeaderView {{ background: transparent; border: 0; }}
QHeaderView::section:first {{ border-top-left-radius: 8px; }}
QHeaderView::section:last {{ border-top-right-radius: 8px; }}
QHeaderView::section:only-one {{ border-top-left-radius: 8px; border-top-right-radius: 8px; }}
QTabBar::tab {{ background: transparent; color: {theme.muted}; border: 0;
    border-bottom: 2px solid transparent; padding: 8px 14px; }}
QTabBar::tab:selected {{ color: {theme.text}; border-bottom-color: {theme.accent};
    font-weight: 600; }}
QTabBar::tab:hover {{ color: {theme.text}; }}
QTabBar::tab:focus {{ color: {theme.accent}; }}
QTabWidget::pane {{ border: 0; }}
QDockWidget {{ font-weight: 600; }}
QDockWidget::title {{ background: {theme.window}; padding: 8px; text-align: left; }}
QSplitter::handle, QMainWindow::separator {{ background: {theme.window}; width: 8px;
    height: 8px; }}
QMainWindow::separator:hover, QSplitter::handle:hover {{ background: {theme.border}; }}
QScrollArea, QScrollArea > QWidget > QWidget {{ background: transparent; border: 0; }}
QAbstractScrollArea::corner {{ background: transparent; border: 0; }}
QScrollBar:vertical {{ background: transparent; width: 12px; margin: 2px; }}
QScrollBar:horizontal {{ background: transparent; height: 12px; margin: 2px; }}
QScrollBar::handle {{ background: {theme.border}; border-radius: 4px; min-height: 32px;
    min-width: 32px; }}
QScrollBar::handle:hover {{ background: {theme.muted}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
QProgressBar {{ background: {theme.sunken}; border: 0; border-radius: 4px; max-height: 8px;
    min-height: 8px; }}
QProgressBar::chunk {{ background: {theme.accent}; border-radius: 4px; }}
QMenu {{ background: {theme.surface}; border: 1px solid {theme.border}; padding: 6px; }}
QMenu::item {{ padding: 6px 24px; border-radius: 4px; }}
QMenu::item:selected {{ background: {theme.selection}; }}
QMenu::separator {{ height: 1px; background: {theme.border}; margin: 6px; }}
QStatusBar {{ background: {theme.surface}; color: {theme.muted}; }}
"""
